# SPDX-License-Identifier: Apache-2.0
"""The lines of a stream of server-sent events, whatever seals what is in them."""

from .errors import SealError

# One event of a stream, and what is held of it: the gateway's own limit is smaller.
_LINE_MAX = 32 << 20


class Events:
    """From the bytes of a sealed stream to those of an open one.

    A profile says what one event is (`event(data)`: the bytes of the open one) and whether the stream
    may end here (`ended()`, which raises CutStream where it may not).
    """

    def __init__(self):
        self._held = b""

    def event(self, data):
        raise NotImplementedError

    def ended(self):
        raise NotImplementedError

    def feed(self, data):
        """The open bytes that `data` completes."""
        out = []
        *lines, self._held = (self._held + data).split(b"\n")
        if len(self._held) > _LINE_MAX:
            raise SealError("an event of the sealed stream is too long")
        for line in lines:
            if line.startswith(b"data:"):
                out.append(self.event(line[5:].strip()))
            elif line.strip():
                raise SealError("the sealed stream holds a line that is not sealed")
        return b"".join(out)

    def end(self):
        """To be called when the bytes end."""
        if self._held.strip():
            raise SealError("the sealed stream ends in the middle of a line")
        self.ended()
