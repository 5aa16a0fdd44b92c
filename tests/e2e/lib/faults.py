# SPDX-License-Identifier: Apache-2.0
"""The gateway on a disk that fails and by a clock that jumps (tests/e2e/faults.c)."""

import mmap
import os
import pathlib
import struct

from .gateway import Gateway
from .speed import binary
from .tap import skip_all

FIELDS = ("wall_s", "steady_s", "write_errno", "sync_errno")


def program():
    found = pathlib.Path(os.environ.get("SOTTO_BUILD", pathlib.Path(binary()).parent)) / "tests/e2e/sotto-faults"
    if not found.exists():
        skip_all("there is no build whose calls can fail")
    return str(found)


class FaultyGateway(Gateway):
    """Gateway whose `faults` can be set while it runs: faults.set(wall_s=3600)."""

    def __init__(self, faults, *words, **more):
        self.program = program()
        super().__init__(*words, env={"SOTTO_TEST_FAULTS": str(faults.path)}, **more)

    def command(self):
        # One process: the rooms of several start with an empty environment.
        return [self.program, *super().command()[1:], "--single-process"]


class Faults:
    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "faults"
        self.path.write_bytes(bytes(8 * len(FIELDS)))
        with open(self.path, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), 8 * len(FIELDS))

    def set(self, **values):
        for name, value in values.items():
            self.page[8 * FIELDS.index(name) : 8 * FIELDS.index(name) + 8] = struct.pack("=q", value)
