#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""What operators install: the files are what their own tools take, and fit the program."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from lib import packages
from lib.tap import Tap

t = Tap()
TREE = pathlib.Path(os.environ.get("SOTTO_SOURCE") or pathlib.Path(__file__).resolve().parents[2])
DEPLOY = TREE / "deploy"
SOTTO = os.environ.get("SOTTO") or str(TREE / "build" / "sotto")


def run(*words, **more):
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=120, check=False, **more)


@t.case
def configuration():
    done = run(SOTTO, "check", "--config", DEPLOY / "sotto.yaml")
    t.same((done.returncode, done.stderr), (0, ""), "the configuration that a package brings is valid")


@t.case
def unit():
    tool = shutil.which("systemd-analyze")
    if tool is None:
        t.skip("systemd takes the unit and calls it safe", "systemd-analyze is not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        text = (DEPLOY / "sotto.service").read_text().replace("/usr/bin/sotto", SOTTO)
        unit = pathlib.Path(folder) / "sotto.service"
        unit.write_text(text)
        done = run(tool, "verify", "--man=no", unit)
        said = [line for line in done.stderr.splitlines() if "sotto.service" in line]
        t.same((done.returncode, said), (0, []), "systemd takes the unit")
        done = run(tool, "security", "--offline=true", "--threshold=15", unit)
        level = re.search(r"exposure level for sotto.service: ([0-9.]+)", done.stdout)
        t.ok(done.returncode == 0 and level and float(level[1]) <= 1.5, "and calls its exposure at most 1.5 of 10", done.stdout[-300:])


def written():
    """The metrics that the program writes."""
    source = (TREE / "src" / "gateway" / "metrics_print.c").read_text()
    names = set(re.findall(r'"((?:sotto|gen_ai|process)_[a-z_]+)"', source))
    return names | {name + end for name in names for end in ("_bucket", "_count", "_sum")}


@t.case
def alerts():
    rules = (DEPLOY / "alerts.yaml").read_text()
    asked = set(re.findall(r"\b((?:sotto|gen_ai|process)_[a-z_]+)(?=[\[{ ])", " ".join(re.findall(r"expr: (?:>-\n)?((?:.|\n)*?)\n +(?:for|labels):", rules))))
    t.ok(len(asked) > 5 and asked <= written(), "the rules ask for metrics that there are", sorted(asked - written()))
    try:
        tool = packages.promtool()
    except packages.Missing as missing:
        t.skip("promtool takes the rules", str(missing))
        return
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(DEPLOY / "alerts.yaml", folder)
        shutil.copy(TREE / "tests" / "deploy" / "alerts.yaml", pathlib.Path(folder) / "tests.yaml")
        for words in (("check", "rules", "alerts.yaml"), ("test", "rules", "tests.yaml")):
            done = run(tool, *words, cwd=folder)
            t.ok(done.returncode == 0, f"promtool {words[0]} rules", done.stdout + done.stderr)


@t.case
def dashboard():
    """Every metric that a panel asks for is one that the program writes."""
    board = json.loads((DEPLOY / "grafana.json").read_text())
    asked, ids = set(), []
    for panel in board["panels"]:
        ids.append(panel["id"])
        for target in panel["targets"]:
            asked |= set(re.findall(r"\b((?:sotto|gen_ai|process)_[a-z_]+)(?=\{)", target["expr"]))
    t.ok(len(asked) > 10 and asked <= written(), "the dashboard asks for metrics that there are", sorted(asked - written()))
    t.same(len(ids), len(set(ids)), "and its panels have numbers of their own")


@t.case
def container():
    text = (DEPLOY / "Containerfile").read_text()
    t.ok(re.search(r"^USER [1-9]\d*:[1-9]\d*$", text, re.M), "the container does not run as root")
    try:
        tool = packages.hadolint()
    except packages.Missing as missing:
        t.skip("hadolint has nothing to say", str(missing))
        return
    done = run(tool, DEPLOY / "Containerfile")
    t.same((done.returncode, done.stdout), (0, ""), "hadolint has nothing to say")


@t.case
def package():
    control = (TREE / "debian" / "control").read_text()
    version = re.match(r"sotto \(([^)]+)\)", (TREE / "debian" / "changelog").read_text())[1]
    told = run(SOTTO, "version").stdout
    t.has(told, version, "the package has the program's version")
    t.ok(re.search(r"^Rules-Requires-Root: no$", control, re.M), "the package is built without root")
    for line in (TREE / "debian" / "sotto.install").read_text().splitlines() + (TREE / "debian" / "sotto.docs").read_text().splitlines():
        t.ok((TREE / line.split()[0]).exists(), f"{line.split()[0]} is there to be installed")


t.done()
