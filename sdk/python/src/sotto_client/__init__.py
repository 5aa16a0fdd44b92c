# SPDX-License-Identifier: Apache-2.0
"""Sealed, private chat through a Sotto gateway.

    from sotto_client import SecureGPT

    client = SecureGPT(api_key="ql_...", base_url="https://gateway.example/v1")
    answer = client.chat.completions.create(model="gpt-4", messages=[...])

SecureGPT and AsyncSecureGPT are the OpenAI clients; what they send is sealed to the gateway
(docs/wire/native.md, or with profile="privatemode" docs/wire/privatemode.md).  httpx_transport() and
httpx_async_transport() do the same for anything that takes an httpx client.
"""

from .audit import AuditEntry, verify_audit
from .errors import AuditError, AuditPending, CutStream, SealError, UntrustedGateway, UntrustedLog
from .evidence import EvidenceError, verify_evidence
from .transport import AsyncSealedTransport, SealedTransport, httpx_async_transport, httpx_transport
from .trust import Trust

__version__ = "0.1.0"

__all__ = [
    "AsyncSealedTransport",
    "AsyncSecureGPT",
    "AuditEntry",
    "AuditError",
    "AuditPending",
    "CutStream",
    "EvidenceError",
    "SealError",
    "SealedTransport",
    "SecureGPT",
    "Trust",
    "UntrustedGateway",
    "UntrustedLog",
    "httpx_async_transport",
    "httpx_transport",
    "verify_audit",
    "verify_evidence",
]


def __getattr__(name):
    """The clients need the `openai` package, which whoever takes a transport only may lack."""
    if name in ("SecureGPT", "AsyncSecureGPT"):
        from . import client

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
