#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libsotto as it is installed: names, versions, pkg-config, and the examples of its documentation."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(os.environ.get("SOTTO_SOURCE") or pathlib.Path(__file__).resolve().parents[2])
BUILD = pathlib.Path(os.environ.get("SOTTO_BUILD") or ROOT / "build")
sys.path.insert(0, str(ROOT / "tests/e2e"))

from lib.tap import Tap, skip_all  # noqa: E402

if not (BUILD / "src/library/libsotto.a").is_file():
    skip_all("the library is not built: sanitizers look at its objects alone")
CC = shutil.which("cc") or shutil.which("gcc") or skip_all("there is no C compiler")
t = Tap()
VERSIONS = {"sotto.h": "SOTTO_1", "seal.h": "SOTTO_2", "proof.h": "SOTTO_2"}
NAMES = {name: version for header, version in VERSIONS.items()
         for name in re.findall(r"\b(sotto_\w+)\(", re.sub(r"/\*.*?\*/", "", (ROOT / "include/sotto" / header).read_text(), flags=re.S))}
folder = pathlib.Path(tempfile.mkdtemp(prefix="sotto-library-"))


def run(*words, env=()):
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=120, check=False, env=dict(os.environ, **dict(env)))


def exported(*words):
    lines = run("nm", "--defined-only", *words).stdout.splitlines()
    return {line.split()[-1] for line in lines if len(line.split()) == 3 and line.split()[1] in "TDBRVW"}


@t.case
def names():
    shared = exported("-D", BUILD / "src/library/libsotto.so")
    t.same(shared, {f"{name}@@{version}" for name, version in NAMES.items()}, "the shared library exports what the headers have, each name with its version")
    t.same(exported("-g", BUILD / "src/library/libsotto.a"), set(NAMES), "and so does the static one")
    dynamic = run("readelf", "-d", BUILD / "src/library/libsotto.so").stdout
    t.ok("libsotto.so.1" in dynamic and "TEXTREL" not in dynamic and "BIND_NOW" in dynamic, "its name has the version of the ABI, and it is hardened", dynamic)


# What each prints; the others are run by tests/e2e/test_library.py, since they need a gateway.
WANT = {
    "library-kem": r"the same secret\n",
    "library-detect": r"PERSON Margaret Thornbury\nPHONE \+1 212 555 0187\n",
    "library-stream": r"sent: Write to (PERSON\w{9}), (EMAIL\w{9})\.\nYou asked: Write to Margaret Thornbury, m\.thornbury@example\.org\.\n",
}


def check_example(source, include, libdir, env):
    needs = [word for word in run("pkg-config", "--static", "--libs-only-l", "sotto", env=env).stdout.split() if word != "-lsotto"]
    flags = ["-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-pedantic", *include]
    ways = {"shared": [f"-L{libdir}", "-lsotto"],
            "static": [libdir / "libsotto.a", *needs]}
    for way, links in ways.items():
        program = folder / f"{source.stem}-{way}"
        built = run(CC, *flags, source, "-o", program, *links)
        t.same((built.returncode, built.stderr), (0, ""), f"{source.name} compiles against the {way} library")
        if source.stem not in WANT:
            continue
        got = run(program, env=env)
        t.ok(got.returncode == 0 and re.fullmatch(WANT[source.stem], got.stdout), f"{source.name}, {way}: says what the documentation says", got)


@t.case
def installed():
    done = run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", folder)
    t.same(done.returncode, 0, "it installs") or print(f"# {done.stdout[-500:]} {done.stderr[-1500:]}")
    pc = next(folder.rglob("sotto.pc"))
    prefix = re.search(r"^prefix=(.*)$", pc.read_text(), re.M)[1]
    libdir = pc.parent.parent
    env = {"PKG_CONFIG_PATH": str(pc.parent), "PKG_CONFIG_SYSROOT_DIR": str(folder), "LD_LIBRARY_PATH": str(libdir)}
    include = [f"-I{folder}{prefix}/include"]
    shared = run("pkg-config", "--libs", "sotto", env=env)
    t.ok(shared.returncode == 0 and "-lsotto" in shared.stdout and "crypto" not in shared.stdout, "pkg-config knows it", shared)
    for source in sorted((ROOT / "docs/examples").glob("library-*.c")):
        check_example(source, include, libdir, env)
    version = run("pkg-config", "--modversion", "sotto", env=env).stdout.strip()
    t.ok(f"version: '{version}'" in (ROOT / "meson.build").read_text(), "with the project's version", version)


@t.case
def beside_another_openssl():
    """A process that has used an OpenSSL of its own."""
    script = ("import hashlib, ssl, ctypes\nhashlib.sha256(b'x').hexdigest(); ssl.create_default_context()\n"
              f"lib = ctypes.CDLL({str(BUILD / 'src/library/libsotto.so')!r})\nengine = ctypes.c_void_p()\n"
              "print(lib.sotto_engine_new(None, ctypes.byref(engine)))\nprint(hashlib.sha256(b'x').hexdigest()[:8])\n")
    got = run(sys.executable, "-c", script)
    t.same(got.stdout.split(), ["0", "2d711642"], "it works beside another OpenSSL in one process")


@t.case
def documented():
    page = (ROOT / "docs/library.md").read_text()
    for source in sorted((ROOT / "docs/examples").glob("library-*.c")):
        body = source.read_text().split("*/\n\n", 1)[1]
        t.ok(body.strip() in page, f"docs/library.md shows {source.name} as it is compiled")
    for name in sorted(NAMES):
        t.ok(name in page, f"docs/library.md names {name}")


@t.case
def cplusplus():
    if not shutil.which("c++"):
        return t.skip("the header is C++ as well", "there is no C++ compiler")
    source = folder / "x.cc"
    source.write_text("".join(f"#include <sotto/{header}>\n" for header in VERSIONS) + "int main() { return sotto_status_text(SOTTO_STATUS_OK) == nullptr; }\n")
    built = run("c++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-pedantic", f"-I{ROOT}/include", "-fsyntax-only", source)
    return t.same((built.returncode, built.stderr), (0, ""), "the header is C++ as well")


shutil.rmtree(folder)
t.done()
