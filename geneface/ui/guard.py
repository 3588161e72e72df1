"""What stands before the page: who may ask it what, a brake on guessing passwords, and headers for the browser."""

import math
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
LOGIN = "/login"
API, OPEN = "/gradio_api/", ("app_id", "login_check", "startup-events", "theme.css", "token", "user")
"""Where Gradio answers, and what of it the page of the login needs. Gradio asks for the login at most places, but
not at `cancel`, `reset`, `stream` and some others."""
FREE_TRIES, LONGEST_PAUSE = 5, 300.0
"""Wrong passwords before the first pause, and the seconds that a pause lasts at most."""
MOST_VISITORS = 10_000
SPACES = "https://huggingface.co"
"""Shows a Space's page within its own."""
TUNNEL = ".gradio.live"


def page_headers() -> dict[str, str]:
    """Response headers: no other page may frame this one, and no browser guesses what a file is."""
    frames = f"'self' {SPACES}" if os.environ.get("SPACE_ID") else "'self'"
    headers = {
        # No limit on scripts: Gradio's own page is made of inline ones.
        "content-security-policy": f"frame-ancestors {frames}; object-src 'none'; base-uri 'self'",
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    return headers if os.environ.get("SPACE_ID") else {**headers, "x-frame-options": "SAMEORIGIN"}


class Guard:
    """ASGI middleware.

    Where the page asks for a password, nothing but the page of the login is answered without one.
    A name that an attacker's own server gives out for 127.0.0.1 arrives in `Host`, so a page for this machine alone
    answers only to this machine's names. Another site's script comes with its `Origin`, which must be the page's own;
    a program sends none.

    Args:
        app: What answers.
        hosts: The names under which the page may be asked for; all if empty.
        tunnelled: Whether it is reached through a public link of Gradio, too.
        clock: Seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Iterable[str] = (),
        tunnelled: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app, self._hosts, self._tunnelled = app, frozenset(hosts), tunnelled
        self._brake = Brake(clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if refusal := self._refusal(headers):
            await _answer(scope, send, 403, refusal)
            return
        if _is_closed(scope["path"]) and not _logged_in(scope):
            await _answer(scope, send, 401, "Log in first.")
        elif scope["type"] == "http" and scope["method"] == "POST" and scope["path"].rstrip("/") == LOGIN:
            await self._login(scope, receive, send)
        else:
            await self._app(scope, receive, _with_headers(send))

    def _refusal(self, headers: dict[str, str]) -> str:
        """Why the question is not answered; empty if it is."""
        asked = _name(headers.get("host", ""))
        if self._hosts and asked not in self._hosts:
            return (
                "This page is only for the machine it runs on: open it as http://127.0.0.1 or http://localhost with "
                "its port, or start it with --host to serve others."
            )
        origin = headers.get("origin")
        if origin is None:
            return ""
        # A browser lets no foreign script set the second one; a proxy sets it that names the page otherwise.
        own = {headers.get("host", "").lower(), headers.get("x-forwarded-host", "").split(",")[0].strip().lower()}
        place = _place(origin)
        if place in own - {""} or (self._hosts and _name(place) in self._hosts):
            return ""
        if self._tunnelled and _name(place).endswith(TUNNEL):
            return ""
        return "Another site's page asked for this; open the page itself."

    async def _login(self, scope: Scope, receive: Receive, send: Send) -> None:
        visitor = str((scope.get("client") or ("",))[0])
        if pause := self._brake.pause(visitor):
            await _answer(scope, send, 429, f"Too many wrong passwords; try again in {math.ceil(pause)} s.", pause)
            return

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._brake.tried(visitor, right=message["status"] < 400)
            await send(message)

        await self._app(scope, receive, _with_headers(watched))


class Brake:
    """Lets a visitor who gave wrong passwords wait, twice as long each time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def pause(self, visitor: str) -> float:
        """Seconds until this visitor may try again; 0 for now."""
        count, last = self._wrong.get(visitor, (0, 0.0))
        if count < FREE_TRIES:
            return 0.0
        wait = min(2.0 ** min(count - FREE_TRIES, 30), LONGEST_PAUSE)
        return max(last + wait - self._clock(), 0.0)

    def tried(self, visitor: str, *, right: bool) -> None:
        if right:
            self._wrong.pop(visitor, None)
            return
        self._wrong[visitor] = (self._wrong.get(visitor, (0, 0.0))[0] + 1, self._clock())
        self._wrong.move_to_end(visitor)
        while len(self._wrong) > MOST_VISITORS:
            self._wrong.popitem(last=False)


def _is_closed(path: str) -> bool:
    """Whether what is asked for is only for who has logged in, if there is a login."""
    return path.startswith(API) and path.removeprefix(API).rstrip("/") not in OPEN


def _logged_in(scope: Scope) -> bool:
    """Whether a visitor of Gradio's app has given the password, or need not."""
    app = scope.get("app")
    if app is None or app.auth is None:
        return True
    given = HTTPConnection(scope).cookies
    tokens = (given.get(f"access-token-{kind}{app.cookie_id}") for kind in ("", "unsecure-"))
    return any(token and app.tokens.get(token) is not None for token in tokens)


def _place(origin: str) -> str:
    """host:port of an origin, as a browser writes it into Host."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _name(place: str) -> str:
    """The host of host:port."""
    try:
        return (urlsplit(f"//{place}").hostname or "").lower()
    except ValueError:
        return ""


def _with_headers(send: Send) -> Send:
    added = [(name.encode(), value.encode()) for name, value in page_headers().items()]

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            there = {name.lower() for name, _ in message.get("headers", ())}
            kept = list(message.get("headers", ()))
            message["headers"] = kept + [(name, value) for name, value in added if name not in there]
        await send(message)

    return sending


async def _answer(scope: Scope, send: Send, status: int, text: str, pause: float = 0.0) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": text})
        return
    body = text.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    if pause:
        headers.append((b"retry-after", str(math.ceil(pause)).encode()))
    await _with_headers(send)({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
