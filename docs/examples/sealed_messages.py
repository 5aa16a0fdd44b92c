"""Seals and opens strings of the interface with sealed `messages` (docs/wire/continuum-2024.md).

    sealed_messages.py begin FILE         exchanges a secret with the gateway and keeps it in FILE
    sealed_messages.py seal FILE          standard input, sealed, as one string
    sealed_messages.py open FILE          the answer on standard input, `choices` opened

SOTTO_URL and SOTTO_KEY name the gateway and a key of it, SOTTO_MESH_CA the file of its certificate
authority, as `sotto keys mesh --export FILE` writes it: only a gateway with its certificate is believed.
"""

import base64
import datetime
import hashlib
import json
import os
import struct
import sys
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sotto_client.kem import XWING_KEM, XWing, export


def ask(path, body):
    url = os.environ.get("SOTTO_URL", "http://127.0.0.1:8484") + path
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Authorization": f"Bearer {os.environ['SOTTO_KEY']}"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def check(certificate, signature, digest):
    """Raises unless a gateway of our certificate authority signed."""
    with open(os.environ["SOTTO_MESH_CA"], "rb") as file:
        authority = x509.load_pem_x509_certificate(file.read())
    leaf = x509.load_der_x509_certificate(certificate)
    leaf.verify_directly_issued_by(authority)
    now = datetime.datetime.now(datetime.timezone.utc)
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    if x509.oid.ExtendedKeyUsageOID.SERVER_AUTH not in usage or not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        raise ValueError("the gateway's certificate is not valid")
    leaf.public_key().verify(signature, digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))


def begin(file):
    pair = XWing()
    answer = ask("/privatemode/v1/secret", {"PublicKey": base64.b64encode(pair.public).decode()})
    ciphertext, signature, certificate = (base64.b64decode(answer[name]) for name in ("EncapsulatedKey", "Signature", "MeshCert"))
    check(certificate, signature, hashlib.sha256(pair.public + ciphertext).digest())
    secret = {
        "id": base64.b64encode(hashlib.sha256(pair.public).digest()).decode(),
        "key": export(XWING_KEM, pair.decapsulate(ciphertext), b"", b"").hex(),
        "nonce": os.urandom(12).hex(),
    }
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        json.dump(secret, out)


def seal(secret, text):
    iv, nonce = os.urandom(12), bytes.fromhex(secret["nonce"])
    sealed = AESGCM(bytes.fromhex(secret["key"])).encrypt(iv, text.encode(), nonce + struct.pack("<I", 0))
    return f"{secret['id']}:{nonce.hex()}:{iv.hex()}:{sealed.hex()}"


def opened(secret, field):
    name, nonce, iv, sealed = field.split(":")
    if (name, nonce) != (secret["id"], secret["nonce"]):
        raise ValueError("this is the answer to another request")
    aad = bytes.fromhex(nonce) + struct.pack("<I", 0)
    return json.loads(AESGCM(bytes.fromhex(secret["key"])).decrypt(bytes.fromhex(iv), bytes.fromhex(sealed), aad))


def main(what, file):
    if what == "begin":
        return begin(file)
    with open(file, encoding="utf-8") as kept:
        secret = json.load(kept)
    if what == "seal":
        return print(seal(secret, sys.stdin.read()))
    answer = json.load(sys.stdin)
    return print(json.dumps({**answer, "choices": opened(secret, answer["choices"])}))


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("begin", "seal", "open"):
        sys.exit(__doc__)
    main(*sys.argv[1:])
