"""Start the web demo: `python app.py`, then open the address that it prints."""

import argparse
import sys

from geneface.errors import InputError
from geneface.ui.demo import serve


def main() -> int:
    parser = argparse.ArgumentParser(description="GeneFace in the browser: give any voice a face.")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for all (default: %(default)s)"
    )
    parser.add_argument("--port", type=int, help="port to listen on (default: the first free one from 7860)")
    parser.add_argument("--share", action="store_true", help="make a public link through gradio.live")
    parser.add_argument("--device", help="cuda, mps or cpu (default: the best that is there)")
    args = parser.parse_args()
    try:
        serve(host=args.host, port=args.port, share=args.share, device=args.device)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
