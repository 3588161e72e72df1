"""The library is silent; commands and scripts show its log on standard output."""

import subprocess
import sys

from tiny import ROOT

SPEAK = "import logging; logging.getLogger('geneface.training.loop').info('step 1')"


def said(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_only_who_asks_sees_the_log() -> None:
    shown = "from geneface.log import log_to_stdout; log_to_stdout(); log_to_stdout(); "
    assert said(SPEAK) == ""
    assert said(shown + SPEAK) == "step 1\n", "once, however often it is asked for"
