#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Comparison, unpadding, selection of keys and sealing take the same way whatever the secrets are:
valgrind sees each branch and each address that depends on one."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))

from lib.tap import Tap, skip_all  # noqa: E402

program = pathlib.Path(os.environ.get("SOTTO_BUILD", "build")) / "tests/seal/constant_time"
if not program.exists():
    skip_all("the program is not built: valgrind's header is missing, or a sanitizer is on")
if shutil.which("valgrind") is None:
    skip_all("valgrind is not installed")

t = Tap()


def watched(*words):
    """Output of the program, and how many errors valgrind saw."""
    command = ["valgrind", "--error-exitcode=0", "--num-callers=20", str(program), *words]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=500, check=False)
    found = re.search(r"ERROR SUMMARY: (\d+) errors", done.stderr)
    return done, int(found[1]) if found else -1


@t.case
def leaks_are_found():
    _, errors = watched("leaky")
    t.ok(errors > 0, f"a comparison that stops at the first difference is found: {errors} errors")


@t.case
def nothing_depends_on_secrets():
    done, errors = watched()
    t.ok(re.search(r"^1\.\.\d+$", done.stdout, re.M) and "not ok" not in done.stdout, "the program works", done.stdout)
    t.ok(errors == 0, "no branch and no address depends on a secret", done.stderr)


t.done()
