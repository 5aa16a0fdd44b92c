"""What both files of weights have in common: a header, then sections padded to whole multiples of ALIGN."""

import math

import numpy as np

HEADER, ALIGN = 128, 64


class File:
    """The sections of a file, one after the other."""

    def __init__(self, path):
        self.raw, self.at = path.read_bytes(), HEADER

    def take(self, kind, *shape):
        count = math.prod(shape)
        out = np.frombuffer(self.raw, kind, count, self.at).reshape(shape)
        self.at += -(-out.nbytes // ALIGN) * ALIGN
        return out
