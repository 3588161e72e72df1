"""Start the page: `python app.py`, which is `geneface demo`, then open the address that it prints."""

import sys

from geneface import cli


def main() -> int:
    return cli.main(["demo", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
