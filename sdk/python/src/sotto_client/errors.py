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
