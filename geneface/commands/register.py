"""How a subcommand gets its name, its function and its arguments."""

import argparse
import os
import sys
from collections.abc import Callable

Run = Callable[[argparse.Namespace], int | None]
Register = Callable[[str, Run], argparse.ArgumentParser]
"""(name, function) -> the parser to add arguments to; the function's docstring is the help."""


def say(*lines: object) -> None:
    """Print what a command has done. That it cannot be printed is no failure: it is done."""
    try:
        print(*lines, sep="\n", flush=True)
    except OSError as error:
        silence_stdout()
        print(f"warning: all is done, but that could not be printed ({error.strerror})", file=sys.stderr)


def silence_stdout() -> None:
    """Let nothing more go to the standard output, which would fail again when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def add_assets(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--assets", metavar="DIR", help="where third-party models are (default: GENEFACE_ASSETS or a cache)"
    )


def add_device(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--device", metavar="D", help="cuda, mps or cpu (default: the best that is there)")


def add_person(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--person", metavar="P", help="name or folder of a person (default: the embedded one)")


def add_options(sub: argparse.ArgumentParser) -> None:
    """One argument for each field of `GenerationOptions`."""
    from geneface.options import defaults, specs

    for name, default in defaults().items():
        spec = specs()[name]
        shown = {"metavar": spec.metavar} if spec.metavar else {"choices": spec.words}
        sub.add_argument(f"--{name}", type=spec.kind, default=default, help=spec.help, **shown)
