"""The `geneface` command; `geneface.commands` holds its subcommands."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from geneface import __version__
from geneface.commands import comparing, demo, making, registry, speaking
from geneface.commands.register import Run
from geneface.errors import BAD_INPUT, InputError, print_error
from geneface.log import log_to_stdout
from geneface.stopping import Stopped

FAILURE, INTERRUPTED = 1, 130


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line instead of argparse's usage message."""
        self.exit(BAD_INPUT, f"error: {message} (see {self.prog} --help)\n")


def build_parser() -> argparse.ArgumentParser:
    parser = Parser(prog="geneface", description="Speech in, photo-realistic talking portrait out.")
    parser.add_argument("--version", action="version", version=f"geneface {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run: Run) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        sub.add_argument("--debug", action="store_true", help="show a traceback when something goes wrong")
        sub.set_defaults(run=run)
        return sub

    for subject in (speaking, demo, making, comparing, registry):
        subject.register(command)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    args = build_parser().parse_args(argv)
    log_to_stdout()
    try:
        return args.run(args) or 0
    except (Stopped, KeyboardInterrupt) as stop:
        return _fail(str(stop) or "interrupted; nothing was written", INTERRUPTED, args)
    except InputError as error:
        return _fail(str(error), BAD_INPUT, args)
    except Exception as error:
        return _fail(f"{type(error).__name__}: {error} (run again with --debug to see where)", FAILURE, args)


def _fail(message: str, code: int, args: Any) -> int:
    if args.debug:
        import traceback

        traceback.print_exc()
    print_error(message)
    return code


if __name__ == "__main__":
    sys.exit(main())
