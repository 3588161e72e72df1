"""What others see of the page where its address is shared: a title, a sentence, a picture."""

import re
from html import escape

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geneface.resources import resource

TITLE = "GeneFace: give any voice a face"
WORDS = "Type or record some speech, and watch a person say it. Speech in, talking portrait out, on any machine."
PICTURE, WIDTH, HEIGHT = "/preview.jpg", 1200, 630
ICON = resource("web/icon.png")
STRANGE = re.compile(r'<meta\s+(?:property="og:|name="twitter:)[^>]*>\s*')
"""Gradio's own, which speak of Gradio."""


class LinkPreview:
    """ASGI middleware: puts the page's own words where Gradio's are, and shows the picture.

    A page is asked for by many names, so the picture's whole address, which it must have, follows that of the request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or scope["path"] not in ("/", PICTURE):
            await self._app(scope, receive, send)
            return
        if scope["path"] == PICTURE:
            await _show_picture(scope, receive, send)
            return
        start: Message = {}
        body = b""

        async def rewrite(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
            changed = body
            if start["status"] == 200 and b"<head>" in body:
                changed = retold(body.decode(), _address(scope)).encode()
            start["headers"] = [*headers, (b"content-length", str(len(changed)).encode())]
            await send(start)
            await send({"type": "http.response.body", "body": changed})

        await self._app(scope, receive, rewrite)


def retold(page: str, address: str) -> str:
    """The page with its own words for those who share its address."""
    said = {
        "og:type": "website",
        "og:site_name": "GeneFace",
        "og:title": TITLE,
        "og:description": WORDS,
        "og:url": f"{address}/",
        "og:image": address + PICTURE,
        "og:image:width": str(WIDTH),
        "og:image:height": str(HEIGHT),
        "og:image:alt": "Vera and Theo, two persons that GeneFace brings along",
    }
    tags = [f'<meta property="{name}" content="{escape(value, quote=True)}">' for name, value in said.items()]
    tags.append(f'<meta name="description" content="{WORDS}">')
    tags.append('<meta name="twitter:card" content="summary_large_image">')
    return STRANGE.sub("", page).replace("<head>", "<head>" + "".join(tags), 1)


def _address(scope: Scope) -> str:
    """https://host of the request, as the visitor's browser knows it."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}

    def first(name: str, other: str) -> str:
        return headers.get(name, other).split(",")[0].strip()

    scheme, host = (
        first("x-forwarded-proto", scope.get("scheme", "http")),
        first("x-forwarded-host", headers.get("host", "")),
    )
    good = scheme in ("http", "https") and re.fullmatch(r"[\w.:\[\]-]+", host)
    return f"{scheme}://{host}{scope.get('root_path', '').rstrip('/')}" if good else ""


async def _show_picture(scope: Scope, receive: Receive, send: Send) -> None:
    from starlette.responses import FileResponse

    await FileResponse(resource("web/preview.jpg"), media_type="image/jpeg")(scope, receive, send)
