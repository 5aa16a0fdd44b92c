# SPDX-License-Identifier: Apache-2.0
"""The OpenAI clients, with sealing, `encryption` and `compliance_mode`."""

import functools
import os
import time
from functools import cached_property

import anyio
import openai
from openai.resources.chat import AsyncChat, Chat
from openai.resources.chat.completions import AsyncCompletions, Completions

from .audit import reading
from .http import library_of
from .transport import AsyncSealedTransport, SealedTransport
from .trust import Logs

DEFAULT_BASE_URL = "http://127.0.0.1:8484/v1"

# What the OpenAI client hands out unread: of the HTTP library that it uses.
RESPONSE = library_of(openai.DefaultHttpxClient).Response


class Fields(dict):
    """A JSON object whose members are attributes too: answer.encryption.algorithm."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def _arguments(client, given):
    """Moves our two arguments to where the OpenAI client lets unknown members through."""
    encryption = given.pop("encryption", None) or client.encryption
    mode = given.pop("compliance_mode", None) or client.compliance_mode
    extra = dict(given.pop("extra_body", None) or {})
    if encryption is not None:
        extra.setdefault("encryption", encryption)
    if mode is not None:
        extra.setdefault("compliance_mode", mode)
    return {**given, **({"extra_body": extra} if extra else {})}


def _dress(answer):
    """Gives `encryption` and `compliance` of a whole answer attributes."""
    for name in ("encryption", "compliance"):
        value = getattr(answer, name, None)
        if isinstance(value, dict):
            setattr(answer, name, Fields(value))
    return answer


class SecureCompletions(Completions):
    @functools.wraps(Completions.create)
    def create(self, *args, **kwargs):
        return _dress(super().create(*args, **_arguments(self._client, kwargs)))

    @functools.wraps(Completions.parse)
    def parse(self, *args, **kwargs):
        return _dress(super().parse(*args, **_arguments(self._client, kwargs)))

    @functools.wraps(Completions.stream)
    def stream(self, *args, **kwargs):
        return super().stream(*args, **_arguments(self._client, kwargs))


class AsyncSecureCompletions(AsyncCompletions):
    @functools.wraps(AsyncCompletions.create)
    async def create(self, *args, **kwargs):
        return _dress(await super().create(*args, **_arguments(self._client, kwargs)))

    @functools.wraps(AsyncCompletions.parse)
    async def parse(self, *args, **kwargs):
        return _dress(await super().parse(*args, **_arguments(self._client, kwargs)))

    @functools.wraps(AsyncCompletions.stream)
    def stream(self, *args, **kwargs):
        return super().stream(*args, **_arguments(self._client, kwargs))


class SecureChat(Chat):
    @cached_property
    def completions(self):
        return SecureCompletions(self._client)


class AsyncSecureChat(AsyncChat):
    @cached_property
    def completions(self):
        return AsyncSecureCompletions(self._client)


def _settings(api_key, base_url):
    key = api_key or os.environ.get("SOTTO_API_KEY")
    url = base_url or os.environ.get("SOTTO_BASE_URL") or DEFAULT_BASE_URL
    return {"api_key": key, "base_url": url}


def _seals(http_client, kind):
    """Whether a client was made with one of our transports: one that we made is handed on by copy()."""
    return isinstance(getattr(http_client, "_transport", None), kind)


def _ours(client):
    """What a copy of a client has to be told beyond what the OpenAI client knows."""
    return {"encryption": client.encryption, "compliance_mode": client.compliance_mode, "sealed": client.sealed,
            "log_key": client.logs.pinned}


def _parts(response):
    return response.status_code, response.content


def _gone(error):
    """410: the record was erased, and the proof is in the answer."""
    if error.status_code != 410:
        raise error
    return _parts(error.response)


class SecureGPT(openai.OpenAI):
    """openai.OpenAI whose requests are sealed to a Sotto gateway.

    api_key          a gateway key (ql_...); else SOTTO_API_KEY
    base_url         of the gateway, with /v1; else SOTTO_BASE_URL; else http://127.0.0.1:8484/v1
    encryption       auto (X-Wing), x-wing, kyber512 (needs libsotto) or rsa4096; with sealed=False
                     any of them: then it says how the gateway keeps what waits
    compliance_mode  hipaa, gdpr, sox, standard or one of the gateway's own; None: that of the key
    sealed           False: TLS to the gateway only
    trust            which gateway is believed, see sotto_client.Trust; None: the first key seen
    profile          how it is sealed: native, or privatemode
    log_key          key of the gateway's audit log, as `sotto audit vkey` prints it; None: the first
                     one seen

    All else as in openai.OpenAI.  Each call of chat.completions takes `encryption` and
    `compliance_mode` too.
    """

    def __init__(self, *, api_key=None, base_url=None, encryption=None, compliance_mode=None, sealed=True, trust=None,
                 profile="native", log_key=None, http_client=None, **options):
        if sealed and http_client is not None and not _seals(http_client, SealedTransport):
            raise ValueError("give `http_client` a sotto_client.httpx_transport(), or leave it out")
        if sealed and http_client is None:
            http_client = openai.DefaultHttpxClient(transport=SealedTransport(encryption or "auto", trust, _pool("HTTPTransport"), profile))
        self.sealed = sealed
        self.encryption = None if sealed else encryption
        self.compliance_mode = compliance_mode
        self.logs = Logs(log_key)
        super().__init__(**_settings(api_key, base_url), http_client=http_client, **options)

    @cached_property
    def chat(self):
        return SecureChat(self)

    def audit(self, audit_id, *, timeout=10):
        """The log's entry of a request (`response.compliance.audit_id`), checked: an AuditEntry.

        timeout  seconds to wait until the entry is under a checkpoint

        Raises AuditError where something does not hold, UntrustedLog where the log has another key,
        AuditPending after `timeout`, and openai.NotFoundError where there is none of this key's.
        """
        steps, answer = reading(audit_id, self.logs, str(self.base_url), timeout), None
        try:
            while True:
                what, value = steps.send(answer)
                answer = self._read(value) if what == "get" else time.sleep(value)
        except StopIteration as done:
            return done.value

    def _read(self, url):
        try:
            return _parts(self.get(url, cast_to=RESPONSE))
        except openai.APIStatusError as error:
            return _gone(error)

    def copy(self, *, _extra_kwargs=None, **options):
        return super().copy(_extra_kwargs={**_ours(self), **(_extra_kwargs or {})}, **options)

    with_options = copy


class AsyncSecureGPT(openai.AsyncOpenAI):
    """As SecureGPT, asynchronous."""

    def __init__(self, *, api_key=None, base_url=None, encryption=None, compliance_mode=None, sealed=True, trust=None,
                 profile="native", log_key=None, http_client=None, **options):
        if sealed and http_client is not None and not _seals(http_client, AsyncSealedTransport):
            raise ValueError("give `http_client` a sotto_client.httpx_async_transport(), or leave it out")
        if sealed and http_client is None:
            inner = _pool("AsyncHTTPTransport")
            http_client = openai.DefaultAsyncHttpxClient(transport=AsyncSealedTransport(encryption or "auto", trust, inner, profile))
        self.sealed = sealed
        self.encryption = None if sealed else encryption
        self.compliance_mode = compliance_mode
        self.logs = Logs(log_key)
        super().__init__(**_settings(api_key, base_url), http_client=http_client, **options)

    @cached_property
    def chat(self):
        return AsyncSecureChat(self)

    async def audit(self, audit_id, *, timeout=10):
        """As SecureGPT.audit()."""
        steps, answer = reading(audit_id, self.logs, str(self.base_url), timeout), None
        try:
            while True:
                what, value = steps.send(answer)
                answer = await (self._read(value) if what == "get" else anyio.sleep(value))
        except StopIteration as done:
            return done.value

    async def _read(self, url):
        try:
            return _parts(await self.get(url, cast_to=RESPONSE))
        except openai.APIStatusError as error:
            return _gone(error)

    def copy(self, *, _extra_kwargs=None, **options):
        return super().copy(_extra_kwargs={**_ours(self), **(_extra_kwargs or {})}, **options)

    with_options = copy


def _pool(name):
    """What sends, with the limits that the OpenAI client sets: a transport of one's own has to be told."""
    kind = getattr(library_of(openai.DefaultHttpxClient), name)
    return kind(limits=openai.DEFAULT_CONNECTION_LIMITS)
