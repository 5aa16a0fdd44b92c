# SPDX-License-Identifier: Apache-2.0
"""How much slower than usual the program under test is."""

import functools
import os


def binary():
    return os.path.abspath(os.environ.get("SOTTO", "build/sotto"))


@functools.lru_cache(None)
def is_sanitized():
    try:
        with open(binary(), "rb") as file:
            return b"__asan_init" in file.read()
    except OSError:
        return False


SLOW = 4 if is_sanitized() else 1
