"""The one exception type for input that a user can put right, and the faults of a machine in words."""

import errno
import os
import sys
import tempfile
from collections.abc import Callable

BAD_INPUT = 2
"""What a command ends with at bad input."""
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
NO_RIGHT = (errno.EACCES, errno.EPERM, errno.EROFS)


class InputError(ValueError):
    """Bad input: one sentence that says what is wrong, where, and what to do.

    The command line prints it and exits with 2; the web demo shows it as an error box.
    """


def os_sentence(error: OSError) -> str:
    """What the operating system refused, where, and what to do about it."""
    reason = error.strerror or str(error) or type(error).__name__
    place = " to ".join(
        os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)
    )
    if error.errno in NO_SPACE:
        where = f"on the disk of {place}" if place else f"on the disk of the output or of {tempfile.gettempdir()}"
        return f"there is no space left {where}; free some, or set TMPDIR to a folder on another disk"
    where = place or "a file"
    if error.errno in NO_RIGHT:
        return f"{where} may not be read or written ({reason}); see to its rights, or choose another place"
    if error.errno == errno.ENAMETOOLONG:
        return f"the name {where} is longer than the disk allows; choose a shorter one"
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"too many files are open ({reason}); raise the limit with ulimit -n"
    return f"{where} cannot be read or written ({reason}); look at it, and try again"


def run_script(main: Callable[[], object]) -> None:
    """Run what `python -m` names, which logs and ends at bad input as the command line does."""
    from geneface.log import log_to_stdout

    log_to_stdout()
    try:
        main()
    except InputError as error:
        print_error(str(error))
        sys.exit(BAD_INPUT)


def print_error(message: str) -> None:
    """One line on standard error."""
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
