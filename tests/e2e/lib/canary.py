# SPDX-License-Identifier: Apache-2.0
"""Values that must not be somewhere, looked for as they are and in the usual encodings."""

import base64
import html
import json
import urllib.parse

# One of each kind that every mode replaces, as people write them.
PERSON = "Margaret Thornbury"
EMAIL = "m.thornbury@example.org"
PHONE = "+41 44 668 18 00"
IBAN = "CH93 0076 2011 6238 5295 7"
CARD = "4111 1111 1111 1111"
SSN = "536-22-8726"
AHV = "756.9217.0769.85"

ALL = [PERSON, EMAIL, PHONE, IBAN, CARD, SSN, AHV]

TEXT = (
    f"Patient {PERSON} can be reached at {EMAIL} or by phone at {PHONE}. Her IBAN is {IBAN}, her credit "
    f"card number {CARD}, her social security number {SSN}, AHV-Nr. {AHV}."
)


def forms(value):
    """The value's bytes under each encoding in which it could slip through."""
    raw = value.encode()
    yield "as it is", raw
    yield "escaped for JSON", json.dumps(value)[1:-1].encode()
    yield "with all characters escaped for JSON", "".join(f"\\u{ord(c):04x}" for c in value).encode()
    yield "URL-encoded", urllib.parse.quote(value, safe="").encode()
    yield "form-encoded", urllib.parse.quote_plus(value).encode()
    yield "escaped for HTML", html.escape(value).encode()
    yield "in hexadecimal", raw.hex().encode()
    for shift in range(3):
        # What stands before it in a base64 text moves it by up to two bytes.
        yield "in base64", base64.b64encode(b"\0" * shift + raw)[(0, 2, 3)[shift] : -4]
    digits = "".join(c for c in value if c.isalnum())
    if digits.isdigit() or value == IBAN:
        yield "without separators", digits.encode()


def leaks(blob, values=None):
    """Sentences about each value that is in `blob`."""
    found = []
    low = blob.lower()
    for value in ALL if values is None else values:
        for name, form in forms(value):
            if len(form) >= 6 and (form in blob if name == "in base64" else form.lower() in low):
                found.append(f"{value!r} {name}")
    return found
