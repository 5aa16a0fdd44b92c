# SPDX-License-Identifier: Apache-2.0
"""A machine that reports about itself: the kernel's folder for that, and a maker of such machines."""

import os
import pathlib
import tempfile
import threading


class Kernel:
    """A folder like configfs's: a report for each question, with what was asked in it.

    `outblob` is a pipe: whoever opens it has written his question before.
    """

    def __init__(self, provider="sev_guest", table=b"table"):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="sotto-tsm-"))
        self.one = self.path / "sotto"
        self.one.mkdir()
        for name, data in (("inblob", b""), ("generation", b"1\n"), ("provider", f"{provider}\n".encode()), ("auxblob", table)):
            (self.one / name).write_bytes(data)
        os.mkfifo(self.one / "outblob")
        self.broken = self.over = False
        self.asked = []
        threading.Thread(target=self.answer, daemon=True).start()

    def report(self, asked):
        """A report of SEV-SNP, but for its signature."""
        report = bytearray(1184)
        report[0], report[0x0A], report[0x34] = 2, 0x02, 1
        report[0x50:0x90] = bytes(64) if self.broken else asked
        return bytes(report)

    def answer(self):
        while not self.over:
            with open(self.one / "outblob", "wb") as pipe:
                asked = (self.one / "inblob").read_bytes()
                self.asked.append(asked)
                pipe.write(self.report(asked))
                (self.one / "outblob").unlink()  # the next question has a pipe of its own
                os.mkfifo(self.one / "outblob")
