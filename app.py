"""Start the web demo: `python app.py`, then open the address that it prints."""

import argparse
import os
import sys
from pathlib import Path

from geneface.errors import BAD_INPUT, InputError, print_error
from geneface.ui.demo import serve


def main() -> int:
    parser = argparse.ArgumentParser(description="GeneFace in the browser: give any voice a face.")
    # Hugging Face Spaces names the address by this variable, as it does for every Gradio app.
    host = os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")
    parser.add_argument("--host", default=host, help="address to listen on; 0.0.0.0 for all (default: %(default)s)")
    parser.add_argument("--port", type=int, help="port to listen on (default: the first free one from 7860)")
    parser.add_argument("--share", action="store_true", help="make a public link through gradio.live")
    parser.add_argument("--device", help="cuda, mps or cpu (default: the best that is there)")
    parser.add_argument(
        "--persons-dir", type=Path, metavar="DIR", default=Path("persons"),
        help="more persons, and where trained ones go (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--auth", metavar="USER:PASSWORD", help="what visitors must give to get in")
    parser.add_argument(
        "--max-seconds",
        type=float,
        metavar="X",
        default=600,
        help="longest recording taken (default: %(default)s)",
    )
    parser.add_argument("--no-hub", action="store_true", help="visitors cannot fetch persons from the Hub")
    parser.add_argument(
        "--train",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="visitors may train persons (default: only where nobody but this machine can reach the page)",
    )
    parser.add_argument("--no-mark", action="store_true", help='leave out the label "AI-generated" in the corner')
    args = parser.parse_args()
    try:
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
    except InputError as error:
        print_error(str(error))
        return BAD_INPUT
    return 0


def credentials(text: str | None) -> tuple[str, str] | None:
    """A name and a password from USER:PASSWORD."""
    if text is None:
        return None
    user, colon, password = text.partition(":")
    if not (user and colon and password):
        raise InputError("--auth needs a name and a password, like --auth anna:secret")
    return user, password


if __name__ == "__main__":
    sys.exit(main())
