# SPDX-License-Identifier: Apache-2.0
"""ML-KEM-512 (FIPS 203) of libsotto (include/sotto/seal.h), which the package `cryptography` lacks."""

import ctypes
import ctypes.util
import functools
import os

PUBLIC, CIPHERTEXT, SECRET, SEED = 800, 768, 32, 64


class Missing(ValueError):
    """libsotto cannot be had; the text says what to do."""


@functools.lru_cache(maxsize=None)
def library():
    """libsotto, or Missing: the one that SOTTO_LIBRARY names, else the system's."""
    name = os.environ.get("SOTTO_LIBRARY") or ctypes.util.find_library("sotto") or "libsotto.so.1"
    try:
        lib = ctypes.CDLL(name)
        new, free, public, decapsulate = (getattr(lib, f"sotto_mlkem512_{what}") for what in ("new", "free", "public", "decapsulate"))
    except (OSError, AttributeError) as wrong:
        raise Missing(
            "encryption='kyber512' needs libsotto, which is not installed or too old: `make install` in Sotto's sources, or "
            "set SOTTO_LIBRARY to its file. Or use 'auto' (X-Wing, which contains ML-KEM-768), or SecureGPT(sealed=False) to "
            f"leave it to the gateway. ({wrong})"
        ) from None
    new.argtypes, new.restype = [ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p)], ctypes.c_int
    free.argtypes, free.restype = [ctypes.c_void_p], None
    public.argtypes, public.restype = [ctypes.c_void_p], ctypes.POINTER(ctypes.c_ubyte)
    decapsulate.argtypes, decapsulate.restype = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p], ctypes.c_int
    return lib


class PrivateKey:
    """A key pair.

    seed  SEED secret bytes (d and z); None: random ones
    """

    def __init__(self, seed=None):
        self._lib, self._pair = library(), ctypes.c_void_p()
        if seed is not None and len(seed) != SEED:
            raise ValueError(f"a seed of ML-KEM-512 has {SEED} bytes")
        if self._lib.sotto_mlkem512_new(seed, ctypes.byref(self._pair)) != 0:
            raise OSError("libsotto made no key pair of ML-KEM-512")
        self.public = ctypes.string_at(self._lib.sotto_mlkem512_public(self._pair), PUBLIC)

    def decapsulate(self, ciphertext):
        """The shared secret, SECRET bytes; ValueError where `ciphertext` has another length."""
        if len(ciphertext) != CIPHERTEXT:
            raise ValueError(f"a ciphertext of ML-KEM-512 has {CIPHERTEXT} bytes")
        secret = ctypes.create_string_buffer(SECRET)
        if self._lib.sotto_mlkem512_decapsulate(self._pair, ciphertext, secret) != 0:
            raise ValueError("the ciphertext cannot be opened")
        return secret.raw

    def __del__(self):
        if getattr(self, "_pair", None):
            self._lib.sotto_mlkem512_free(self._pair)
