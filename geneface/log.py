"""What GeneFace logs while it works: shown by commands and scripts, left to whoever uses the library."""

import logging
import sys


class _Stdout(logging.Handler):
    """Plain lines on standard output, wherever that leads at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stdout, flush=True)


def log_to_stdout() -> None:
    """Show the log of GeneFace, and of nothing else, from level INFO on."""
    logger = logging.getLogger("geneface")
    if not logger.handlers:
        logger.addHandler(_Stdout())
        logger.setLevel(logging.INFO)
