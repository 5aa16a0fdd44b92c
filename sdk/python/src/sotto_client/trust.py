# SPDX-License-Identifier: Apache-2.0
"""Which gateway a client believes: the keys with which it signs sessions."""

import base64
import contextlib
import json
import os
import pathlib
import time

from .errors import UntrustedGateway
from .evidence import EvidenceError, verify_evidence


def default_file():
    """Where the keys that were seen are kept: $XDG_CONFIG_HOME/sotto/known_gateways."""
    base = os.environ.get("XDG_CONFIG_HOME") or pathlib.Path.home() / ".config"
    return pathlib.Path(base) / "sotto/known_gateways"


class Trust:
    """Decides about a signing key (32 bytes, Ed25519).

    Trust.pinned(key, ...)   only these keys, in base64 as `GET /v1/seal/keys` shows them
    Trust.first_use(file)    the first key of an address, and never another one afterwards
    Trust.evidence(...)      keys for which a trusted execution environment vouches
    """

    wants_evidence = False

    def check(self, address, key, attestation=None, nonce=None):
        """Raises UntrustedGateway unless `key` is the one of the gateway at `address`."""
        raise NotImplementedError

    @staticmethod
    def pinned(*keys):
        return _Pinned(keys)

    @staticmethod
    def first_use(file=None):
        return _FirstUse(file)

    @staticmethod
    def evidence(measurements=(), debug=False, roots=None, also=None):
        """Evidence of SEV-SNP or TDX with one of these measurements (48 bytes each in hexadecimal;
        none: any); `also` is another Trust that must agree."""
        return _Evidence(measurements, debug, roots, also)


def show(key):
    return base64.b64encode(key).decode()


class _Pinned(Trust):
    def __init__(self, keys):
        self._keys = [base64.b64decode(key, validate=True) if isinstance(key, str) else bytes(key) for key in keys]
        if not self._keys or any(len(key) != 32 for key in self._keys):
            raise ValueError("a pinned signing key has 32 bytes, in base64")

    def check(self, address, key, attestation=None, nonce=None):
        if key not in self._keys:
            raise UntrustedGateway(f"The gateway at {address} signs with {show(key)}, which is not a key that is pinned.")


class _FirstUse(Trust):
    def __init__(self, file=None):
        self._file = pathlib.Path(file) if file else default_file()

    def _read(self):
        known = {}
        with contextlib.suppress(FileNotFoundError):
            for line in self._file.read_text(encoding="utf-8").splitlines():
                if line.strip() and not line.startswith("#"):
                    row = json.loads(line)
                    known[row["gateway"]] = row["signing_key"]
        return known

    def check(self, address, key, attestation=None, nonce=None):
        known = self._read().get(address)
        if known is None:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            row = {"gateway": address, "signing_key": show(key), "seen": int(time.time())}
            with open(os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as out:
                out.write(json.dumps(row) + "\n")
        elif known != show(key):
            raise UntrustedGateway(
                f"The gateway at {address} signs with another key ({show(key)}) than before ({known}): it was set up anew, "
                f"or somebody is in between. If you know why, remove its line from {self._file}."
            )


class _Evidence(Trust):
    wants_evidence = True

    def __init__(self, measurements, debug, roots, also):
        self._policy = {"measurements": measurements, "debug": debug, "roots": roots}
        self._also = also

    def check(self, address, key, attestation=None, nonce=None):
        if not attestation or not attestation.get("attested"):
            raise UntrustedGateway(f"The gateway at {address} shows no evidence of a trusted execution environment.")
        try:
            verify_evidence(attestation, key, nonce, **self._policy)
        except EvidenceError as wrong:
            raise UntrustedGateway(f"The evidence of the gateway at {address} does not hold: {wrong}.") from wrong
        if self._also:
            self._also.check(address, key, attestation, nonce)
