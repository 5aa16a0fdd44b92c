# SPDX-License-Identifier: Apache-2.0
"""The profile native (docs/wire/native.md): whole requests and answers are sealed as records."""

import base64
import binascii
import json

from . import sessions
from .errors import SealError
from .events import Events
from .kem import suite_of
from .records import SEALED_TYPE


class _Records(Events):
    """Each event is a record in base64."""

    def __init__(self, pending, status):
        super().__init__()
        self._opener = pending.stream(status)

    def event(self, data):
        try:
            text = self._opener.feed(base64.b64decode(data, validate=True))
        except binascii.Error:
            raise SealError("the sealed stream holds a line that is not sealed") from None
        if text:
            return b"data: " + text + b"\n\n"
        return b"data: [DONE]\n\n" if self._opener.over else b""

    def ended(self):
        self._opener.end()


class Native:
    """All suites; the key is sent with the session only."""

    name = "native"

    @staticmethod
    def suite_of(word):
        """The suite for a word of the `encryption` argument; ValueError where there is none."""
        return suite_of(word)

    @staticmethod
    def begin(make, plan, trust):
        """Yields requests of the class `make`, is sent their answers, returns a session."""
        return sessions.begin(make, plan.base, plan.address, plan.suite, trust, plan.credentials, plan.extensions)

    @staticmethod
    def seal(plan, session):
        """Body and headers of the sealed request, and what opens its answer."""
        body, pending = session.request(plan.method, plan.path, plan.model, plan.text)
        return body, {"Content-Type": SEALED_TYPE}, pending

    @staticmethod
    def is_stream(kind, response):
        return kind == "text/event-stream"

    @staticmethod
    def is_whole(kind, response):
        return kind == SEALED_TYPE

    @staticmethod
    def stream(pending, status):
        return _Records(pending, status)

    @staticmethod
    def whole(pending, response):
        """The open JSON text of an answer that has been read."""
        return pending.whole(response.status_code, response.content)

    @staticmethod
    def is_refusal(kind, response):
        """Whether the gateway did not open the request; the answer has been read."""
        if response.status_code not in (400, 401) or kind != "application/json":
            return False
        try:
            return json.loads(response.content)["error"]["code"] == "seal_refused"
        except (ValueError, KeyError, TypeError):
            return False
