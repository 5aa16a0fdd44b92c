# SPDX-License-Identifier: Apache-2.0
"""What can go wrong between a client and its gateway.

All are errors of the HTTP library, so that a client which retries what the network did treats them
as it treats those; UntrustedGateway is none, because trying again does not help.
"""

from .http import libraries


class SealError(*(library.RemoteProtocolError for library in libraries())):
    """What came does not open, or is no sealed answer where one was asked for."""


class CutStream(SealError):
    """A sealed stream ended before its last record: somebody may have cut it."""


class UntrustedGateway(Exception):
    """The gateway has another signing key than the one that is trusted, or no evidence."""


class AuditError(Exception):
    """An entry of the audit log does not hold.

    step  what of it: "form", "entry" (it is another request's), "record" (the entry commits to another
          one), "inclusion" (it is not in the log) or "signature" (the log did not sign the checkpoint)
    """

    def __init__(self, step, why):
        super().__init__(f"The audit entry does not hold: {why}.")
        self.step = step


class AuditPending(Exception):
    """An entry is not under a checkpoint yet: ask again in a second."""


class UntrustedLog(Exception):
    """The gateway's audit log has another key than the one that is trusted."""
