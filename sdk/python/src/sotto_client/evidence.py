# SPDX-License-Identifier: Apache-2.0
"""Evidence of what machine a gateway runs in: AMD SEV-SNP and Intel TDX.

Checked are the certificates up to the makers' root keys, the report's signature, what it vouches
for, the guest's policy and its measurement.  Not checked: revocation, and for TDX Intel's list of
platforms with firmware that is out of date.
"""

import base64
import datetime
import hashlib
import hmac
import re
import struct

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from .records import label

# SHA-256 of the public keys of AMD's ARKs for Milan, for Genoa (with Bergamo and Siena) and for
# Turin, and of Intel's SGX root CA.
ROOTS = (
    "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9",
    "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831",
    "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08",
    "a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e",
)

_SNP_REPORT = 1184
_SNP_SIGNED = 0x2A0
_SNP_GUIDS = {0: bytes.fromhex("63da758de6644564adc5f4b93be8accd"), 1: bytes.fromhex("a8074bc2a25a483eaae639c045a0b8a1")}
_SNP_VERSIONS = {False: {1: 0, 2: 1, 3: 6, 8: 7}, True: {9: 0, 1: 1, 2: 2, 3: 3, 8: 7}}
_SNP_OID = "1.3.6.1.4.1.3704.1."
_QE_SIGNER = bytes.fromhex("dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5")


class EvidenceError(Exception):
    """Why evidence does not hold, as a clause."""


def verify_evidence(attestation, signing_key, nonce, measurements=(), debug=False, roots=None, at=None):
    """Checks the `attestation` of `GET /v1/seal/keys?nonce=`; returns the measurement (48 bytes).

    attestation   {"tee": ..., "evidence": base64}
    signing_key   32 bytes, for which the evidence must vouch
    nonce         the client's 32 random bytes
    measurements  those that are allowed, in hexadecimal; none: any
    debug         accept a guest that its host may look into
    roots         SHA-256 of root keys, in hexadecimal; None: those of the makers
    at            the time of the check; None: now

    Raises EvidenceError.
    """
    want = hashlib.sha256(label(b"evidence") + signing_key).digest() + nonce
    read = {"sev-snp": _read_snp, "tdx": _read_tdx}.get(attestation.get("tee"))
    if read is None:
        raise EvidenceError("it is of a kind that is not known")
    try:
        claims = read(base64.b64decode(attestation.get("evidence", ""), validate=True), _Roots(roots, at))
    except (ValueError, IndexError, struct.error, TypeError) as wrong:
        raise EvidenceError("it cannot be read") from wrong
    if not hmac.compare_digest(claims["report_data"], want):
        raise EvidenceError("it vouches for another key")
    if claims["debug"] and not debug:
        raise EvidenceError("the host may debug the guest")
    if measurements and claims["measurement"].hex() not in {m.lower() for m in measurements}:
        raise EvidenceError("its measurement is not among those that are allowed")
    return claims["measurement"]


class _Roots:
    """Certificates up to a key that is trusted, at one time."""

    def __init__(self, roots, at):
        self._keys = {root.lower() for root in (ROOTS if roots is None else roots)}
        self._at = at or datetime.datetime.now(datetime.timezone.utc)

    def _is_root(self, cert):
        spki = cert.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(spki).hexdigest() in self._keys

    def _issuer(self, cert, others):
        for other in others:
            if other.subject == cert.issuer:
                try:
                    cert.verify_directly_issued_by(other)
                    if other.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
                        return other
                except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound):
                    continue
        return None

    def verify(self, leaf, others):
        cert = leaf
        for _ in range(8):
            if not cert.not_valid_before_utc <= self._at <= cert.not_valid_after_utc:
                raise EvidenceError("a certificate is not valid now")
            if cert is not leaf and self._is_root(cert):
                return
            cert = self._issuer(cert, [other for other in others if other is not cert or self._is_root(other)])
            if cert is None:
                break
        raise EvidenceError("the certificates do not lead to a root of the maker")


def _certs(data):
    """One certificate in DER or all of a PEM text."""
    if data[:1] == b"-":
        pems = re.findall(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", data, re.S)
        return [x509.load_pem_x509_certificate(pem) for pem in pems]
    return [x509.load_der_x509_certificate(data)]


def _check_ecdsa(key, curve, signature, data, digest, what):
    half = len(signature) // 2
    der = utils.encode_dss_signature(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, curve):
        raise EvidenceError(f"the {what} is signed by a key of another kind")
    try:
        key.verify(der, data, ec.ECDSA(digest))
    except InvalidSignature:
        raise EvidenceError(f"the signature of the {what} is wrong") from None


# --- SEV-SNP: AMD 56860, ATTESTATION_REPORT; certificate table of 56421 ---------------------------


def _guid(data):
    """A GUID with its first three numbers in the other byte order."""
    return data[3::-1] + data[5:3:-1] + data[7:5:-1] + data[8:]


def _table(table, leaf_guid):
    leaf, others = [], []
    at = 0
    while table[at : at + 16] != bytes(16):
        guid, start, size = struct.unpack_from("<16sII", table, at)
        data = table[start : start + size]
        if len(data) != size:
            raise ValueError("the table reaches beyond its end")
        (leaf if leaf_guid in (guid, _guid(guid)) else others).extend(_certs(data))
        at += 24
    if len(leaf) != 1:
        raise ValueError("the table has no certificate for the key that signed")
    return leaf[0], others


def _extension(cert, oid):
    try:
        return cert.extensions.get_extension_for_oid(x509.ObjectIdentifier(_SNP_OID + oid)).value.value
    except x509.ExtensionNotFound:
        return None


def _is_for(cert, report, chip_key):
    """Whether the certificate is for the report's firmware and chip."""
    for number, at in _SNP_VERSIONS[_extension(cert, "3.9") is not None].items():
        value = _extension(cert, f"3.{number}")
        if value is None or value[:1] != b"\2" or int.from_bytes(value[2:], "big") != report[0x180 + at]:
            return False
    chip = _extension(cert, "4") or b""
    if len(chip) > 2 and chip[0] == 4 and chip[1] == len(chip) - 2:
        chip = chip[2:]
    return not chip_key or (len(chip) in (8, 64) and report[0x1A0 : 0x1A0 + len(chip)] == chip)


def _read_snp(evidence, roots):
    report = evidence[:_SNP_REPORT]
    version, policy = struct.unpack_from("<I4xI", report)
    algorithm, key_info = struct.unpack_from("<I", report, 0x34)[0], struct.unpack_from("<I", report, 0x48)[0] >> 2 & 7
    if len(report) != _SNP_REPORT or not 2 <= version <= 5 or not policy >> 17 & 1 or algorithm != 1 or key_info not in _SNP_GUIDS:
        raise ValueError("not a report that is known")
    leaf, others = _table(evidence[_SNP_REPORT:], _SNP_GUIDS[key_info])
    roots.verify(leaf, others)
    numbers = [report[_SNP_SIGNED + i * 72 : _SNP_SIGNED + (i + 1) * 72] for i in (0, 1)]
    if any(any(number[48:]) for number in numbers):
        raise EvidenceError("the signature of the report is wrong")
    signature = b"".join(number[47::-1] for number in numbers)
    _check_ecdsa(leaf.public_key(), ec.SECP384R1, signature, report[:_SNP_SIGNED], hashes.SHA384(), "report")
    if not _is_for(leaf, report, key_info == 0):
        raise EvidenceError("the certificate is for another chip or other firmware")
    return {"report_data": report[0x50:0x90], "measurement": report[0x90:0xC0], "debug": bool(policy >> 19 & 1)}


# --- TDX: Intel, TDX DCAP Quoting Library API, appendix A -----------------------------------------


class _Reader:
    def __init__(self, data):
        self._data, self.at = data, 0

    def take(self, size):
        piece = self._data[self.at : self.at + size]
        if len(piece) != size:
            raise ValueError("it ends too early")
        self.at += size
        return piece

    def number(self, size):
        return int.from_bytes(self.take(size), "little")

    def done(self):
        if self.at != len(self._data):
            raise ValueError("it is longer than it says")


def _read_tdx(evidence, roots):
    quote = _Reader(evidence)
    version, kind, tee = struct.unpack("<HHI", quote.take(48)[:8])
    if version not in (4, 5) or kind != 2 or tee != 0x81:
        raise ValueError("not a quote that is known")
    size = 584
    if version == 5:
        shape, size = quote.number(2), quote.number(4)
        if (shape, size) not in ((2, 584), (3, 648)):
            raise ValueError("not a body that is known")
    body = quote.take(size)
    signed = evidence[: quote.at]
    part = _Reader(quote.take(quote.number(4)))
    signature, key, cert_kind = part.take(64), part.take(64), part.number(2)
    inner = _Reader(part.take(part.number(4)))
    part.done()
    report, report_signature = inner.take(384), inner.take(64)
    auth, chain_kind = inner.take(inner.number(2)), inner.number(2)
    certs = _certs(inner.take(inner.number(4)))
    inner.done()
    if (cert_kind, chain_kind) != (6, 5):
        raise ValueError("not a chain that is known")
    roots.verify(certs[0], certs[1:])
    _check_ecdsa(certs[0].public_key(), ec.SECP256R1, report_signature, report, hashes.SHA256(), "quoting enclave's report")
    if report[320:352] != hashlib.sha256(key + auth).digest():
        raise EvidenceError("the quoting enclave vouches for another key")
    if report[128:160] != _QE_SIGNER or report[256:258] != b"\2\0" or report[48] & 2:
        raise EvidenceError("the quoting enclave is not the maker's")
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\4" + key)
    _check_ecdsa(public, ec.SECP256R1, signature, signed, hashes.SHA256(), "quote")
    return {"report_data": body[520:584], "measurement": body[136:184], "debug": body[120] != 0}
