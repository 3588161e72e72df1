"""The `geneface` command; `geneface.commands` holds its subcommands."""

import argparse
import io
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from geneface import __version__
from geneface.commands import demo, dubbing, evaluating, hub, making, speaking
from geneface.commands.register import Run, silence_stdout
from geneface.errors import BAD_INPUT, InputError, os_sentence, print_error
from geneface.log import log_to_stdout
from geneface.utils.stopping import Stopped

FAILURE, INTERRUPTED = 1, 130


class Terminated(KeyboardInterrupt):
    """The system asked for an end; its argument is the signal's number."""


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

    for subject in (speaking, dubbing, demo, making, evaluating, hub):
        subject.register(command)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # A name that it cannot show must not end a command.
    args = build_parser().parse_args(argv)
    log_to_stdout()
    try:
        with _signals():
            code = args.run(args) or 0
            _flush()
            return code
    except Terminated as stop:
        return _fail(f"terminated; {_kept(stop)}", 128 + stop.args[0], args)
    except (Stopped, KeyboardInterrupt) as stop:
        return _fail(str(stop) or f"interrupted; {_kept(stop)}", INTERRUPTED, args)
    except InputError as error:
        return _fail(str(error), BAD_INPUT, args)
    except BrokenPipeError:  # As of `geneface persons | head`: nobody is left who would read a message.
        return FAILURE
    except OSError as error:
        return _fail(os_sentence(error), FAILURE, args)
    except Exception as error:
        return _fail(f"{type(error).__name__}: {error} (run again with --debug to see where)", FAILURE, args)


def _kept(stop: BaseException) -> str:
    return "; ".join(getattr(stop, "__notes__", ())) or "nothing was written"


def _flush() -> None:
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        silence_stdout()
        raise


@contextmanager
def _signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end a command as Ctrl-C does: what is unfinished is cleared away."""

    def end(number: int, frame: FrameType | None) -> NoReturn:
        for each in ours:
            signal.signal(each, signal.SIG_IGN)  # Let nothing disturb the clearing up.
        raise Terminated(number)

    ours: list[int] = []
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):  # The last one is sent by Windows when its console is closed.
            number = getattr(signal, name, None)
            # Who runs a command with nohup has SIGHUP ignored.
            if number is not None and signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, end)
                ours.append(number)
    try:
        yield
    finally:
        for each in ours:
            signal.signal(each, signal.SIG_DFL)


def _fail(message: str, code: int, args: argparse.Namespace) -> int:
    if args.debug:
        import traceback

        traceback.print_exc()
    with suppress(OSError):
        print_error(message)
    return code


if __name__ == "__main__":
    sys.exit(main())
