# SPDX-License-Identifier: Apache-2.0
"""Marks that can be found again in a process's memory, whatever was cut off or written over them."""

import base64
import os
import random
import string

MARK_BYTES = 6  # long enough to stand nowhere by chance, short enough to survive being cut
PERIOD = 8
ALPHABET = string.ascii_letters + string.digits


class Marks:
    """One mark for a run; text(place) repeats it around the number of a place.

    A window of 13 bytes of such a text holds the whole mark, so that a block whose start was used
    again by the allocator still shows it.
    """

    def __init__(self, seed=None):
        chance = random.Random(seed)
        # Mixed, so that no word list has it and no recognizer takes it for something else.
        self.mark = "".join(chance.choice(ALPHABET) for _ in range(MARK_BYTES))
        self.places = []
        self.secrets = {}

    def secret(self, name, value):
        """Something random that is looked for as well: pieces of it, as they are."""
        self.secrets[name] = [value[i : i + 12].encode() for i in range(0, len(value) - 11, 10)]

    def text(self, place, repeat=5):
        """A word of 8 * repeat - 2 letters and digits that stands for `place`."""
        if place not in self.places:
            self.places.append(place)
        number = self.places.index(place)
        pair = ALPHABET[number // len(ALPHABET)] + ALPHABET[number % len(ALPHABET)]
        return (self.mark + pair) * (repeat - 1) + self.mark

    def forms(self):
        """What to look for: the mark as each encoding leaves it."""
        raw = self.mark.encode()
        yield "raw", raw
        yield "UTF-16", self.mark.encode("utf-16-le")
        yield "JSON-escaped", "".join(f"\\u{ord(c):04x}" for c in self.mark).encode()
        yield "URL-encoded", "".join(f"%{ord(c):02X}" for c in self.mark).encode()
        yield "hex", raw.hex().encode()
        yield "HEX", raw.hex().upper().encode()
        if raw.lower() != raw:
            yield "lower case", raw.lower()
        for shift in range(3):
            # Only the symbols that no neighbour has a share in.
            data = base64.b64encode(b"\0" * shift + raw + b"\0\0")
            yield "base64", data[(0, 2, 3)[shift] : (8 * (shift + MARK_BYTES)) // 6]

    def place_at(self, blob, at):
        """The place whose text lies raw around `at`, as far as it can be told."""
        for start in (at + MARK_BYTES, at - 2):
            pair = blob[start : start + 2].decode("latin-1")
            if len(pair) == 2 and all(c in ALPHABET for c in pair):
                number = ALPHABET.index(pair[0]) * len(ALPHABET) + ALPHABET.index(pair[1])
                if number < len(self.places):
                    return self.places[number]
        return "?"

    def found(self, blob, where):
        """A sentence about each finding, a few of each form."""
        out = [f"{where}+{blob.find(piece):#x}: raw, {name}" for name, pieces in self.secrets.items() for piece in pieces if piece in blob]
        for name, form in self.forms():
            at = blob.find(form)
            count = 0
            while at >= 0 and count < 20:
                around = blob[max(0, at - 24) : at + 48]
                place = self.place_at(blob, at) if name == "raw" else "?"
                out.append(f"{where}+{at:#x}: {name}, {place}: {around!r}")
                count += 1
                at = blob.find(form, at + 64)
        return out


def readable():
    """Whether the memory of a process that forbids it to its own user can be read here."""
    return os.geteuid() == 0


def regions(pid):
    """(name, start, end) of all writable memory of a process."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps:
        for line in maps:
            addresses, rights, *_rest = line.split(None, 5)
            name = line.split(None, 5)[5].strip() if len(line.split(None, 5)) > 5 else "anonymous"
            if rights.startswith("rw"):
                start, end = (int(word, 16) for word in addresses.split("-"))
                yield name, start, end


def search(pid, marks):
    """Sentences about each mark in the memory of a process."""
    out = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for name, start, end in regions(pid):
            try:
                memory.seek(start)
                blob = memory.read(end - start)
            except OSError:
                continue  # gone meanwhile, or closed even to root
            out += marks.found(blob, f"{name} {start:#x}")
    return out


def processes(pid):
    """A process and all that it started."""
    out = [pid]
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/stat", encoding="latin-1") as stat:
                parent = int(stat.read().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
        if parent == pid:
            out += processes(int(number))
    return out
