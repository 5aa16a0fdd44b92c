# SPDX-License-Identifier: Apache-2.0
"""Transports for httpx (and httpx2) that seal requests to a Sotto gateway and open its answers.

What bears text (POST to .../chat/completions and .../embeddings) is sealed.  GET requests pass in
the clear: lists of models.  Everything else is refused, since it could not be sealed.
"""

import functools
import json
import threading
import time

import anyio

from .errors import SealError
from .http import libraries, library_of
from .profile_native import Native
from .profile_privatemode import Privatemode
from .sessions import Declined
from .trust import Trust

_SEALED_ROUTES = ("/chat/completions", "/embeddings")

# Headers of the caller that say who it is: they begin a session and are not sent afterwards.
_CREDENTIALS = ("authorization", "x-api-key", "api-key")

PROFILES = {profile.name: profile for profile in (Native, Privatemode)}


def profile_of(name):
    """The profile of that name; ValueError where there is none."""
    if name not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}, not {name!r}")
    return PROFILES[name]


class _Plan:
    """How one request is sealed.

    method, path, route  of the request; the route without what stands before it
    base, address        the gateway's URL up to and including /v1; its name in the file of known ones
    body, text           the request as an object and as JSON text, without the member `encryption`
    model, suite         what it names, and how it is sealed
    credentials          headers that say who the caller is
    """

    def __init__(self, request, profile, default_suite):
        url = request.url
        self.method, self.path = request.method, url.path
        self.route = route = next(route for route in _SEALED_ROUTES if url.path.endswith(route))
        self.base = str(url.copy_with(path=url.path[: -len(route)], query=None, fragment=None)).rstrip("/")
        self.address = url.netloc.decode()
        try:
            self.body = body = json.loads(request.content)
            self.model = body["model"]
            asked = body.pop("encryption", None)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise SealError("a request without a JSON body that names its model cannot be sealed") from None
        if not isinstance(self.model, str) or len(self.model.encode()) > 256:
            raise SealError("the model's name must be a string of at most 256 bytes")
        self.suite = profile.suite_of(asked) if asked is not None else default_suite
        self.text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() if asked is not None else request.content
        self.credentials = {name: request.headers[name] for name in _CREDENTIALS if name in request.headers}
        self.extensions = {name: value for name, value in request.extensions.items() if name == "timeout"}
        self.key = (self.base, tuple(sorted(self.credentials.items())), self.suite)


def _sealed(profile, plan, request, session):
    """The sealed request, and what opens its answer."""
    body, more, pending = profile.seal(plan, session)
    dropped = {"content-length", "content-type", "transfer-encoding", "accept-encoding", *_CREDENTIALS}
    headers = [(name, value) for name, value in request.headers.raw if name.lower().decode() not in dropped]
    headers += [(name.encode(), value.encode()) for name, value in more.items()] + [(b"Accept-Encoding", b"identity")]
    return type(request)(request.method, request.url, headers=headers, content=body, extensions=request.extensions), pending


def _plan(request, profile, suite):
    """None: the request passes as it is."""
    if request.method == "POST" and request.url.path.endswith(_SEALED_ROUTES):
        return _Plan(request, profile, suite)
    if request.method in ("GET", "HEAD"):
        return None
    raise SealError(f"{request.method} {request.url.path} cannot be sealed, and is not sent in the clear")


def _type(response):
    return response.headers.get("content-type", "").split(";")[0].strip().lower()


def _clear(response):
    """An answer in the clear proves nothing about who sent it: errors only."""
    if response.status_code < 400:
        raise SealError("the answer to a sealed request is not sealed")
    return response


def _headers(response, kind):
    dropped = ("content-length", "content-type", "transfer-encoding", "content-encoding")
    return [(n, v) for n, v in response.headers.raw if n.lower().decode() not in dropped] + [(b"Content-Type", kind)]


def _whole(profile, response, pending, request):
    text = profile.whole(pending, response)
    # As a stream, like an answer from the network: who reads it closes it.
    return type(response)(response.status_code, headers=_headers(response, b"application/json"),
                          stream=library_of(request).ByteStream(text), request=request, extensions=response.extensions)


@functools.lru_cache(maxsize=None)
def _stream_kinds(library):
    """The two classes of streams, as the library wants them."""

    class Stream(library.SyncByteStream):
        def __init__(self, response, events):
            self._response, self._events = response, events

        def __iter__(self):
            for piece in self._response.stream:
                opened = self._events.feed(piece)
                if opened:
                    yield opened
            self._events.end()

        def close(self):
            self._response.close()

    class AsyncStream(library.AsyncByteStream):
        def __init__(self, response, events):
            self._response, self._events = response, events

        async def __aiter__(self):
            async for piece in self._response.stream:
                opened = self._events.feed(piece)
                if opened:
                    yield opened
            self._events.end()

        async def aclose(self):
            await self._response.aclose()

    return Stream, AsyncStream


def _streamed(profile, response, pending, request, asynchronous):
    events = profile.stream(pending, response.status_code)
    stream = _stream_kinds(library_of(request))[asynchronous](response, events)
    return type(response)(response.status_code, headers=_headers(response, b"text/event-stream; charset=utf-8"), stream=stream,
                          request=request, extensions=response.extensions)


class _Sessions:
    """Sessions by gateway, caller and suite."""

    def __init__(self):
        self._held = {}

    def get(self, plan):
        session = self._held.get(plan.key)
        return session if session and time.monotonic() < session.renew_at else None

    def put(self, plan, session):
        self._held[plan.key] = session

    def drop(self, plan, session):
        if self._held.get(plan.key) is session:
            del self._held[plan.key]


class SealedTransport(*(library.BaseTransport for library in libraries())):
    """Seals what goes through.

    encryption  the suite: auto (X-Wing), x-wing, kyber512 (needs libsotto) or rsa4096; a member
                `encryption` of a request chooses another one for it
    trust       a Trust; None: the first key of an address is remembered
    transport   what sends; None: the HTTPTransport of the library whose client this one serves
    profile     native, or privatemode (X-Wing only) for gateways that are to be asked as
                Privatemode's are
    """

    def __init__(self, encryption="auto", trust=None, transport=None, profile="native"):
        self._profile = profile_of(profile)
        self._suite = self._profile.suite_of(encryption)
        self._trust = trust or Trust.first_use()
        self._inner = transport
        self._sessions = _Sessions()
        self._lock = threading.Lock()

    def _session(self, plan, request):
        with self._lock:
            session = self._sessions.get(plan)
            if session is None:
                steps = self._profile.begin(type(request), plan, self._trust)
                session = self._drive(steps)
                self._sessions.put(plan, session)
            return session

    def _drive(self, steps):
        try:
            request = next(steps)
            while True:
                response = self._inner.handle_request(request)
                response.read()
                response.close()
                request = steps.send(response)
        except StopIteration as done:
            return done.value

    def handle_request(self, request):
        request.read()
        self._inner = self._inner or library_of(request).HTTPTransport()
        plan = _plan(request, self._profile, self._suite)
        if plan is None:
            return self._inner.handle_request(request)
        for last in (False, True):
            try:
                session = self._session(plan, request)
            except Declined as declined:
                return declined.response
            sealed, pending = _sealed(self._profile, plan, request, session)
            response = self._inner.handle_request(sealed)
            kind = _type(response)
            if self._profile.is_stream(kind, response):
                return _streamed(self._profile, response, pending, request, False)
            response.read()
            response.close()
            if self._profile.is_whole(kind, response):
                return _whole(self._profile, response, pending, request)
            self._sessions.drop(plan, session)
            if last or not self._profile.is_refusal(kind, response):
                return _clear(response)

    def close(self):
        if self._inner is not None:
            self._inner.close()


class AsyncSealedTransport(*(library.AsyncBaseTransport for library in libraries())):
    """As SealedTransport, for httpx.AsyncClient."""

    def __init__(self, encryption="auto", trust=None, transport=None, profile="native"):
        self._profile = profile_of(profile)
        self._suite = self._profile.suite_of(encryption)
        self._trust = trust or Trust.first_use()
        self._inner = transport
        self._sessions = _Sessions()
        self._lock = anyio.Lock()

    async def _session(self, plan, request):
        async with self._lock:
            session = self._sessions.get(plan)
            if session is None:
                steps = self._profile.begin(type(request), plan, self._trust)
                session = await self._drive(steps)
                self._sessions.put(plan, session)
            return session

    async def _drive(self, steps):
        try:
            request = next(steps)
            while True:
                response = await self._inner.handle_async_request(request)
                await response.aread()
                await response.aclose()
                request = steps.send(response)
        except StopIteration as done:
            return done.value

    async def handle_async_request(self, request):
        await request.aread()
        self._inner = self._inner or library_of(request).AsyncHTTPTransport()
        plan = _plan(request, self._profile, self._suite)
        if plan is None:
            return await self._inner.handle_async_request(request)
        for last in (False, True):
            try:
                session = await self._session(plan, request)
            except Declined as declined:
                return declined.response
            sealed, pending = _sealed(self._profile, plan, request, session)
            response = await self._inner.handle_async_request(sealed)
            kind = _type(response)
            if self._profile.is_stream(kind, response):
                return _streamed(self._profile, response, pending, request, True)
            await response.aread()
            await response.aclose()
            if self._profile.is_whole(kind, response):
                return _whole(self._profile, response, pending, request)
            self._sessions.drop(plan, session)
            if last or not self._profile.is_refusal(kind, response):
                return _clear(response)

    async def aclose(self):
        if self._inner is not None:
            await self._inner.aclose()


def httpx_transport(encryption="auto", trust=None, transport=None, profile="native"):
    """A transport for `httpx.Client(transport=...)`, for whatever takes an httpx client."""
    return SealedTransport(encryption, trust, transport, profile)


def httpx_async_transport(encryption="auto", trust=None, transport=None, profile="native"):
    """The same for `httpx.AsyncClient(transport=...)`."""
    return AsyncSealedTransport(encryption, trust, transport, profile)
