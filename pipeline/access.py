"""What every request goes through: read-only methods, the token where one is set, and the headers of an answer.

Plain ASGI, so that nothing is behind it that did not pass. The token is compared in constant time; the cookie that a
person gets for it is a keyed digest, which tells nothing of it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Name of the cookie, and how long it lasts (s): half a year.
COOKIE = "luxtronik_logger"
COOKIE_S = 180 * 86_400

#: What anybody may ask for.
_OPEN = frozenset({"/health", "/health/live", "/login"})
#: Where a person gives the token; the only address that takes anything.
LOGIN = "/login"

_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
        b"form-action 'self'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
)


class Access:
    """Wraps an application; `token` is empty where nobody is asked for one."""

    def __init__(self, app: App, token: str = "") -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        guarded = _with_headers(scope, send)
        method, path = scope["method"], scope["path"]
        if method not in ("GET", "HEAD") and (method, path) != ("POST", LOGIN):
            await _refuse(
                guarded, 405, f"{method} is not possible", "the API only reads: use GET", (b"allow", b"GET, HEAD")
            )
        elif self._token and path not in _OPEN and not self._knows(scope):
            await self._ask(scope, guarded)
        elif method == "HEAD":
            await self._app({**scope, "method": "GET"}, receive, _without_body(guarded))
        else:
            await self._app(scope, receive, guarded)

    def accepts(self, given: str) -> bool:
        """Whether this is the token."""
        return hmac.compare_digest(given.encode(), self._token.encode())

    def cookie(self) -> str:
        """What a browser shows in place of the token."""
        return hmac.new(self._token.encode(), COOKIE.encode(), hashlib.sha256).hexdigest()

    def _knows(self, scope: Scope) -> bool:
        headers = dict(scope["headers"])
        kind, _, given = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if kind.lower() == "bearer" and self.accepts(given.strip()):
            return True
        try:
            found = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1")).get(COOKIE)
        except CookieError:
            return False
        return found is not None and hmac.compare_digest(found.value.encode(), self.cookie().encode())

    async def _ask(self, scope: Scope, send: Send) -> None:
        wants_page = scope["path"] == "/" and b"text/html" in dict(scope["headers"]).get(b"accept", b"")
        if wants_page:
            await send({"type": "http.response.start", "status": 303, "headers": [(b"location", LOGIN.encode())]})
            await send({"type": "http.response.body", "body": b""})
            return
        await _refuse(
            send,
            401,
            "a token is needed",
            "send Authorization: Bearer, or open /login",
            (b"www-authenticate", b"Bearer"),
        )


def _with_headers(scope: Scope, send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            # What lies in assets has a name of its own for each content.
            keeps = message["status"] == 200 and scope["path"].startswith("/assets/")
            cache = (b"cache-control", b"private, max-age=31536000, immutable" if keeps else b"no-store")
            message = {**message, "headers": [*message.get("headers", ()), *_HEADERS, cache]}
        await send(message)

    return guarded


def _without_body(send: Send) -> Send:
    async def headless(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return headless


async def _refuse(send: Send, status: int, message: str, hint: str, header: tuple[bytes, bytes]) -> None:
    body = json.dumps({"error": {"message": message, "hint": hint}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), header]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
