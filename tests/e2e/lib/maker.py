# SPDX-License-Identifier: Apache-2.0
"""A maker of machines with SEV-SNP, who is not AMD: root, signing key, chip, and genuine reports."""

import datetime
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID, ObjectIdentifier

from lib.tsm import Kernel

MEASUREMENT = bytes(range(48))
CHIP = bytes(range(64))
FIRMWARE = {1: 3, 2: 0, 3: 20, 8: 200}  # number behind 1.3.6.1.4.1.3704.1.3, version
PLACES = {1: 0, 2: 1, 3: 6, 8: 7}
LEAF = bytes.fromhex("63da758de6644564adc5f4b93be8accd")
OTHERS = bytes.fromhex("4ab7b379bbac4fe4a02f05aef327c782")


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(subject, key, issuer, issuer_key, authority=None, extensions=()):
    start = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(key.public_key()).serial_number(
        x509.random_serial_number()).not_valid_before(start).not_valid_after(start + datetime.timedelta(days=365))
    if authority is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=authority), critical=True)
        builder = builder.add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True)
    for oid, value in extensions:
        builder = builder.add_extension(x509.UnrecognizedExtension(ObjectIdentifier(oid), value), critical=False)
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA384()), salt_length=48)
    return builder.sign(issuer_key, hashes.SHA384(), rsa_padding=pss).public_bytes(Encoding.DER)


def integer(number):
    return bytes([2, 1, number]) if number < 128 else bytes([2, 2, 0, number])


class Chip(Kernel):
    """A machine of ours."""

    def __init__(self):
        ark, ask = (rsa.generate_private_key(65537, 3072) for _ in range(2))
        self.key = ec.generate_private_key(ec.SECP384R1())
        self.root = hashlib.sha256(ark.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
        said = [(f"1.3.6.1.4.1.3704.1.3.{number}", integer(version)) for number, version in FIRMWARE.items()]
        said.append(("1.3.6.1.4.1.3704.1.4", CHIP))
        certs = [(LEAF, certificate("SEV-VCEK", self.key, "SEV-Ours", ask, extensions=said)),
                 (OTHERS, certificate("SEV-Ours", ask, "ARK-Ours", ark, authority=0)),
                 (OTHERS, certificate("ARK-Ours", ark, "ARK-Ours", ark, authority=1))]
        at, rows = 24 * (len(certs) + 1), b""
        for guid, cert in certs:
            rows += guid + at.to_bytes(4, "little") + len(cert).to_bytes(4, "little")
            at += len(cert)
        super().__init__(table=rows + bytes(24) + b"".join(cert for _, cert in certs))

    def report(self, asked):
        report = bytearray(super().report(asked))
        report[0x90:0xC0], report[0x1A0:0x1E0] = MEASUREMENT, CHIP
        for number, version in FIRMWARE.items():
            report[0x180 + PLACES[number]] = version
        numbers = utils.decode_dss_signature(self.key.sign(bytes(report[:0x2A0]), ec.ECDSA(hashes.SHA384())))
        for i, number in enumerate(numbers):
            report[0x2A0 + 72 * i:0x2A0 + 72 * (i + 1)] = number.to_bytes(72, "little")
        return bytes(report)
