# SPDX-License-Identifier: Apache-2.0
"""What a power cut can leave of a folder, from a trace of tests/audit/crash_log.

A file's content is durable up to its last sync; of what was written since, any part may be there,
torn between sectors. A name is durable when its folder was synced; of what was done to names since,
a beginning is there (as a journaling file system keeps it).
"""

import pathlib
import random
import struct
import subprocess

SECTOR = 512


def read_trace(data):
    at = 0
    while at < len(data):
        kind = chr(data[at])
        n = struct.unpack_from(">H", data, at + 1)[0]
        path = data[at + 3:at + 3 + n].decode()
        offset, length = struct.unpack_from(">QI", data, at + 3 + n)
        start = at + 15 + n
        yield kind, path, offset, data[start:start + length]
        at = start + length


class Inode:
    def __init__(self):
        self.durable = b""
        self.pending = []  # (kind, offset, bytes) since the last sync

    def now(self):
        content = bytearray(self.durable)
        for kind, offset, data in self.pending:
            apply(content, kind, offset, data)
        return bytes(content)

    def sync(self):
        self.durable = self.now()
        self.pending = []

    def after_cut(self, chance):
        """Any of the pending writes, each in whole sectors; a cut of the file only in its place."""
        content = bytearray(self.durable)
        keep_until = chance.randint(0, len(self.pending))
        for number, (kind, offset, data) in enumerate(self.pending):
            if kind == "t":
                if number >= keep_until:
                    break
                apply(content, kind, offset, data)
            elif number < keep_until or chance.random() < 0.3:
                for part in range(0, len(data), SECTOR):
                    if number < keep_until - 1 or chance.random() < 0.7:
                        apply(content, kind, offset + part, data[part:part + SECTOR])
        return bytes(content)


def apply(content, kind, offset, data):
    if kind == "t":
        del content[offset:]
        content.extend(bytes(offset - len(content)))
    else:
        if len(content) < offset:
            content.extend(bytes(offset - len(content)))
        content[offset:offset + len(data)] = data


class Disk:
    """Names to inodes, and what was done to names that no folder sync has made durable."""

    def __init__(self, root):
        self.root = root
        self.names = {}
        self.folders = {root}
        self.pending = []  # (kind, path, value) in order

    def do(self, kind, path, offset, data):
        if kind == "c":
            self.names[path] = Inode()
            self.pending.append(("c", path, self.names[path]))
        elif kind == "m":
            self.folders.add(path)
            self.pending.append(("m", path, None))
        elif kind in "wt" and path in self.names:
            self.names[path].pending.append((kind, offset, data))
        elif kind == "s" and path in self.names:
            self.names[path].sync()
        elif kind == "r":
            to = data.decode()
            self.pending.append(("r", path, to))
            self.names[to] = self.names.pop(path)
        elif kind == "u" and path in self.names:
            self.pending.append(("u", path, None))
            del self.names[path]
        elif kind == "d":
            self.durable_names = self.view(len(self.pending))
            self.pending = []

    durable_names = None

    def view(self, count):
        """Names and folders with the first `count` pending changes."""
        names, folders = self.durable_names or ({}, {self.root})
        names, folders = dict(names), set(folders)
        for kind, path, value in self.pending[:count]:
            if kind == "c":
                names[path] = value
            elif kind == "m":
                folders.add(path)
            elif kind == "r" and path in names:
                names[value] = names.pop(path)
            elif kind == "u":
                names.pop(path, None)
        return names, folders

    def cut(self, chance, place):
        """Writes what is left into the folder `place`."""
        names, folders = self.view(chance.randint(0, len(self.pending)))
        for folder in sorted(folders):
            (place / pathlib.Path(folder).relative_to(self.root)).mkdir(parents=True, exist_ok=True)
        for path, inode in names.items():
            target = place / pathlib.Path(path).relative_to(self.root)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(inode.after_cut(chance))


def power_cuts(build, place, seed, rounds, cuts, syncs=True):
    """Yields (what went wrong or None, what happened) for each of so many power cuts in one run.

    syncs  False: a disk that lies about its syncs, so that something must be found
    """
    chance = random.Random(seed)
    root = place / f"run{seed}"
    root.mkdir()
    trace = place / f"trace{seed}"
    subprocess.run([build / "tests/audit/crash_log", root, trace, str(seed), str(rounds)], check=True)
    calls = list(read_trace(trace.read_bytes()))
    points = sorted(chance.randrange(len(calls) + 1) for _ in range(cuts))
    disk, promised, done = Disk(str(root.resolve())), b"", 0
    for number, point in enumerate(points):
        for kind, path, offset, data in calls[done:point]:
            if kind == "a":
                promised += data
            elif syncs or kind != "s":
                disk.do(kind, path, offset, data)
        done = point
        left = place / f"left{seed}-{number}"
        left.mkdir()
        disk.cut(chance, left)
        got = subprocess.run([build / "tests/audit/open_log", left], input=promised, capture_output=True, check=False)
        said = got.stdout.decode().strip()
        wrong = None
        if got.returncode != 0:
            wrong = f"after call {point} of {len(calls)} (seed {seed}): does not open: {got.stderr.decode()}"
        elif not said.startswith("missing 0 "):
            wrong = f"after call {point} of {len(calls)} (seed {seed}): {said}"
        yield wrong, said
        if wrong is None:
            subprocess.run(["rm", "-rf", left], check=True)
