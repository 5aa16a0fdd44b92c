#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A thousand power cuts and a thousand kills: the audit log loses nothing that was promised."""

import os
import pathlib
import shutil
import sys
import tempfile

SOURCE = pathlib.Path(os.environ["SOTTO_SOURCE"])
sys.path[:0] = [str(SOURCE / "tests/audit"), str(SOURCE / "tests/e2e")]

import crash  # noqa: E402
from lib.audit_kills import kills  # noqa: E402
from lib.tap import Tap  # noqa: E402

BUILD = pathlib.Path(os.environ["SOTTO_BUILD"])
t = Tap()
place = pathlib.Path(tempfile.mkdtemp(prefix="sotto-crash-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
try:
    for seed in range(100, 140):
        wrong = [what for what, _ in crash.power_cuts(BUILD, place, seed, 30, 25) if what]
        t.same(wrong, [], f"run {seed}: 25 power cuts lose nothing that was promised")
finally:
    shutil.rmtree(place, ignore_errors=True)
kills(t, 1000, longest_s=0.4)
t.done()
