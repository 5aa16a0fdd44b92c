# SPDX-License-Identifier: Apache-2.0
"""The HTTP library at hand: httpx, or httpx2, which newer OpenAI clients use; they are alike.

A transport serves the library whose request it gets, so that it fits into clients of either.
"""

import functools
import importlib
import sys


@functools.lru_cache(maxsize=None)
def libraries():
    """Those that are installed; ImportError where none is."""
    found = []
    for name in ("httpx2", "httpx"):
        try:
            found.append(importlib.import_module(name))
        except ModuleNotFoundError:
            continue
    if not found:
        raise ImportError("sotto_client needs httpx or httpx2: pip install httpx")
    return tuple(found)


def library_of(thing):
    """The library that a request or a class is of."""
    kind = thing if isinstance(thing, type) else type(thing)
    for base in kind.__mro__:
        top = base.__module__.split(".")[0]
        if top in ("httpx", "httpx2"):
            return sys.modules[top]
    raise TypeError(f"{kind.__name__} is of no HTTP library that is known")
