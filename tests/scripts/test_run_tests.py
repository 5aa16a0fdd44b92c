#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The test runner counts what tests say, and takes no broken test for a good one."""

import importlib.machinery
import importlib.util
import pathlib
import sys
import types

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
loader = importlib.machinery.SourceFileLoader("run_tests", str(ROOT / "scripts/run-tests"))
runner = importlib.util.module_from_spec(importlib.util.spec_from_loader("run_tests", loader))
loader.exec_module(runner)

number = failed = 0


def outcome(shell, timeout=20):
    """(passed, failed, skipped) and the report of a test that is this shell command."""
    test = {"name": "t", "cmd": ["sh", "-c", shell], "workdir": "/", "env": {}, "timeout": timeout}
    result, _ = runner.run(test, types.SimpleNamespace(verbose=False))
    return (result.passed, result.failed, result.skipped), "\n".join(result.report)


def check(what, shell, want, word="", timeout=20):
    global number, failed
    number += 1
    counts, report = outcome(shell, timeout)
    good = counts == want and word in report
    failed += not good
    print(f"{'ok' if good else 'not ok'} {number} - {what}")
    if not good:
        print(f"#   got {counts}, want {want}, and {word!r} in {report!r}")


check("two passed checks", "echo ok 1 - a; echo ok 2 - b; echo 1..2", (2, 0, 0))
check("the plan may come first", "echo 1..1; echo ok 1", (1, 0, 0))
check("a failed check keeps its diagnostics", "echo ok 1; echo not ok 2 - b; echo '#   got 1'; echo 1..2; exit 1",
      (1, 1, 0), "got 1")
check("a skipped check is no passed one", "echo 'ok 1 # SKIP no data'; echo ok 2; echo 1..2", (1, 0, 1))
check("all skipped", "echo '1..0 # SKIP not here'", (0, 0, 1))
check("an expected failure is skipped", "echo 'not ok 1 # TODO later'; echo ok 2; echo 1..2", (1, 0, 1))
check("too few checks", "echo ok 1; echo 1..3", (1, 1, 0), "planned 3 checks, ran 1")
check("too many checks", "echo 1..1; echo ok 1; echo ok 2", (2, 1, 0), "planned 1 checks, ran 2")
check("no plan", "echo ok 1", (1, 1, 0), "without a plan")
check("no output", "true", (0, 1, 0), "without a plan")
check("no checks", "echo 1..0", (0, 1, 0), "ran no checks")
check("a check left out", "echo ok 1; echo ok 3; echo 1..3", (2, 1, 0), "number 3 where 2")
check("a crash after the plan", "echo 1..1; echo ok 1; kill -SEGV $$", (1, 1, 0), "SIGSEGV")
check("a crash before the plan", "echo ok 1; kill -ABRT $$", (1, 2, 0), "SIGABRT")
check("a leak that is found at the end", "echo ok 1; echo 1..1; echo leaked >&2; exit 23", (1, 1, 0), "exit status 23")
check("what a failed test says on standard error is shown", "echo ok 1; echo 1..1; echo why >&2; exit 3", (1, 1, 0), "why")
check("exit status 1 beside failed checks is no second failure", "echo not ok 1; echo 1..1; exit 1", (0, 1, 0))
check("a bail-out", "echo ok 1; echo 'Bail out! no port'; echo 1..1", (1, 1, 0), "no port")
check("a test that hangs", "echo ok 1; sleep 60", (1, 1, 0), "still running", timeout=1)
check("a child that holds the output does not hold the runner", "sleep 60 & echo ok 1; echo 1..1", (1, 1, 0),
      "still running", timeout=1)
check("a program that does not exist", "exec /nonexistent/program", (0, 2, 0), "127")
print(f"1..{number}")
sys.exit(1 if failed else 0)
