"""The page: `demo`, which `app.py` starts, too."""

import argparse
import os
from importlib.util import find_spec
from pathlib import Path

from geneface.commands.register import Register, add_device
from geneface.errors import InputError


def demo(args: argparse.Namespace) -> None:
    """The page: give any voice a face in the browser, compare, train, check a video."""
    if find_spec("gradio") is None:
        raise InputError('the page needs gradio, which is not installed: pip install "geneface[demo]"')
    from geneface.ui.demo import serve

    serve(
        host=args.host,
        port=args.port,
        share=args.share,
        device=args.device,
        persons_dir=args.persons_dir,
        auth=credentials(args.auth),
        max_seconds=args.max_seconds,
        hub=not args.no_hub,
        mark=not args.no_mark,
        train=args.train,
    )


def credentials(text: str | None) -> tuple[str, str] | None:
    """A name and a password from USER:PASSWORD."""
    if text is None:
        return None
    user, colon, password = text.partition(":")
    if not (user and colon and password):
        raise InputError("--auth needs a name and a password, like --auth anna:secret")
    return user, password


def register(command: Register) -> None:
    sub = command("demo", demo)
    # Hugging Face Spaces names the address by this variable, as it does for every Gradio app.
    host = os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")
    sub.add_argument("--host", default=host, help="address to listen on; 0.0.0.0 for all (default: %(default)s)")
    sub.add_argument("--port", type=int, help="port to listen on (default: the first free one from 7860)")
    sub.add_argument("--share", action="store_true", help="make a public link through gradio.live")
    add_device(sub)
    sub.add_argument(
        "--persons-dir", type=Path, metavar="DIR", default=Path("persons"),
        help="more persons, and where trained ones go (default: %(default)s)",
    )  # fmt: skip
    sub.add_argument("--auth", metavar="USER:PASSWORD", help="what visitors must give to get in")
    sub.add_argument(
        "--max-seconds",
        type=float,
        metavar="X",
        default=600,
        help="longest recording taken (default: %(default)s)",
    )
    sub.add_argument("--no-hub", action="store_true", help="visitors cannot fetch persons from the Hub")
    sub.add_argument(
        "--train",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="visitors may train persons (default: only where nobody but this machine can reach the page)",
    )
    sub.add_argument("--no-mark", action="store_true", help='leave out the label "AI-generated" in the corner')
