# SPDX-License-Identifier: Apache-2.0
"""Which gateway a client believes: the keys with which it signs sessions."""

import base64
import contextlib
import json
import os
import pathlib
import time
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from .audit import parse_log_key
from .errors import UntrustedGateway, UntrustedLog
from .evidence import EvidenceError, verify_evidence


def default_file():
    """Where the keys that were seen are kept: $XDG_CONFIG_HOME/sotto/known_gateways."""
    base = os.environ.get("XDG_CONFIG_HOME") or pathlib.Path.home() / ".config"
    return pathlib.Path(base) / "sotto/known_gateways"


class Trust:
    """Decides about a gateway: in the profile native about its signing key (32 bytes, Ed25519), in
    privatemode about its mesh CA.

    Trust.pinned(key, ...)   only these keys, in base64 as `GET /v1/seal/keys` shows them; native
    Trust.mesh_ca(pem)       only this mesh CA, as `sotto keys mesh` prints it; privatemode
    Trust.first_use(file)    the first one of an address, and never another one afterwards; mesh CAs are
                             kept beside `file`, in known_meshes (`sotto proxy` shares both files)
    Trust.evidence(...)      keys for which a trusted execution environment vouches; native
    """

    about = "This trust"
    wants_evidence = False

    def check(self, address, key, attestation=None, nonce=None):
        """Raises UntrustedGateway unless `key` is the one of the gateway at `address`."""
        raise UntrustedGateway(f"{type(self).about} says nothing about signing keys: the profile native needs another trust.")

    def mesh_authority(self):
        """The certificate of the mesh CA that is trusted; None: the gateway shows one, for check_mesh()."""
        raise UntrustedGateway(f"{type(self).about} says nothing about a mesh CA: the profile privatemode needs Trust.mesh_ca() or Trust.first_use().")

    def check_mesh(self, address, certificate):
        """Raises UntrustedGateway unless `certificate` is of the mesh CA of the gateway at `address`."""
        raise NotImplementedError

    @staticmethod
    def mesh_ca(pem):
        """`pem`: the certificate as text or bytes, or the path of a file with it."""
        return _MeshCa(pem)

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
    about = "Trust.pinned()"

    def __init__(self, keys):
        self._keys = [base64.b64decode(key, validate=True) if isinstance(key, str) else bytes(key) for key in keys]
        if not self._keys or any(len(key) != 32 for key in self._keys):
            raise ValueError("a pinned signing key has 32 bytes, in base64")

    def check(self, address, key, attestation=None, nonce=None):
        if key not in self._keys:
            raise UntrustedGateway(f"The gateway at {address} signs with {show(key)}, which is not a key that is pinned.")


class _MeshCa(Trust):
    about = "Trust.mesh_ca()"

    def __init__(self, pem):
        text = pem.encode() if isinstance(pem, str) else pem
        if not isinstance(text, bytes) or b"-----BEGIN " not in text:
            text = pathlib.Path(os.fsdecode(pem)).read_bytes()
        self._certificate = x509.load_pem_x509_certificate(text)

    def mesh_authority(self):
        return self._certificate


class _Known:
    """A file of what was seen first, a JSON object a line: {"gateway": ..., NAME: ..., "seen": ...}."""

    def __init__(self, file, name):
        self.file, self._name = pathlib.Path(file), name

    def get(self, address):
        known = None
        with contextlib.suppress(FileNotFoundError):
            for line in self.file.read_text(encoding="utf-8").splitlines():
                row = json.loads(line) if line.strip() and not line.startswith("#") else {}
                if row.get("gateway") == address:
                    known = row[self._name]
        return known

    def add(self, address, key):
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        row = {"gateway": address, self._name: key, "seen": int(time.time())}
        with open(os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as out:
            out.write(json.dumps(row) + "\n")


class _FirstUse(Trust):
    about = "Trust.first_use()"

    def __init__(self, file=None):
        file = pathlib.Path(file or default_file())
        self._keys, self._meshes = _Known(file, "signing_key"), _Known(file.with_name("known_meshes"), "mesh_ca_sha256")

    @staticmethod
    def _compare(known, address, shown, does):
        before = known.get(address)
        if before is None:
            known.add(address, shown)
        elif before != shown:
            raise UntrustedGateway(
                f"The gateway at {address} {does} ({shown}) than before ({before}): it was set up anew, "
                f"or somebody is in between. If you know why, remove its line from {known.file}."
            )

    def check(self, address, key, attestation=None, nonce=None):
        self._compare(self._keys, address, show(key), "signs with another key")

    def mesh_authority(self):
        return None

    def check_mesh(self, address, certificate):
        self._compare(self._meshes, address, show(certificate.fingerprint(hashes.SHA256())), "has another mesh CA")


class Logs:
    """Which audit log is believed: the one of the key `pinned`, else the first that an address shows."""

    def __init__(self, pinned=None, file=None):
        if pinned is not None:
            parse_log_key(pinned)
        self.pinned = pinned
        self._known = _Known(file or default_file().with_name("known_logs"), "log_key")

    def check(self, base_url, shown):
        """The key that the gateway shows (bytes), if it is the one it showed at first; else UntrustedLog."""
        address = urllib.parse.urlsplit(base_url).netloc
        try:
            vkey = shown.decode("utf-8").strip()
            parse_log_key(vkey)
        except ValueError as wrong:
            raise UntrustedLog(f"The gateway at {address} shows no key of an audit log: {wrong}.") from wrong
        known = self._known.get(address)
        if known is None:
            self._known.add(address, vkey)
        elif known != vkey:
            raise UntrustedLog(
                f"The audit log of the gateway at {address} has another key ({vkey}) than before ({known}): it was set up "
                f"anew, or somebody rewrote it. If you know why, remove its line from {self._known.file}."
            )
        return vkey


class _Evidence(Trust):
    about = "Trust.evidence()"
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
