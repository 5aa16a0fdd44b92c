#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Power cuts while the audit log is written: it opens clean and holds what was promised.

A few dozen of them; tests/soak/soak_audit.py makes a thousand.
"""

import os
import pathlib
import shutil
import sys
import tempfile

import crash

BUILD = pathlib.Path(os.environ["SOTTO_BUILD"])
place = pathlib.Path(tempfile.mkdtemp(prefix="sotto-crash-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
number = failed = 0


def ok(good, what, detail=()):
    global number, failed
    number += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {number} - {what}", flush=True)
    if not good:
        print("\n".join(f"# {line}" for line in detail), flush=True)


try:
    for seed in range(1, 5):
        wrong = [what for what, _ in crash.power_cuts(BUILD, place, seed, 10, 8) if what]
        ok(not wrong, f"run {seed}: 8 power cuts lose nothing that was promised", wrong)
    wrong = [what for what, _ in crash.power_cuts(BUILD, place, 9, 10, 8, syncs=False) if what]
    ok(wrong, "a disk that lies about its syncs is found out")
finally:
    shutil.rmtree(place, ignore_errors=True)
print(f"1..{number}")
sys.exit(1 if failed else 0)
