"""The one exception type for input that a user can put right."""

import sys
from collections.abc import Callable

from geneface.log import log_to_stdout

BAD_INPUT = 2
"""What a command ends with at bad input."""


class InputError(ValueError):
    """Bad input: one sentence that says what is wrong, where, and what to do.

    The command line prints it and exits with 2; the web demo shows it as an error box.
    """


def run_script(main: Callable[[], object]) -> None:
    """Run what `python -m` names, which logs and ends at bad input as the command line does."""
    log_to_stdout()
    try:
        main()
    except InputError as error:
        print_error(str(error))
        sys.exit(BAD_INPUT)


def print_error(message: str) -> None:
    """One line on standard error."""
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
