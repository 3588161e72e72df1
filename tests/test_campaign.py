"""Two minutes of the campaign of `tests/campaign`: seeded damage to all that is read, and kills of what is written."""

import pytest

from tests.campaign.fuzz import run
from tests.campaign.kills import KILLS
from tests.campaign.subjects import SUBJECTS

SECONDS = {"bundles": 40.0, "signed": 20.0}


@pytest.mark.slow
@pytest.mark.parametrize("subject", SUBJECTS)
def test_damaged_input_is_taken_or_refused(subject: str) -> None:
    figures = run(subject, seed=1, tries=200, seconds=SECONDS.get(subject, 10.0))
    assert not figures.wrong, "\n".join(f"try {number}: {words}" for number, words in figures.wrong)
    assert figures.tries and figures.counts["refused"] + figures.counts["taken"] == figures.tries


@pytest.mark.slow
@pytest.mark.parametrize("command", ["overwrite", "pull"])
def test_nothing_is_lost_by_a_kill(command: str) -> None:
    figures = KILLS[command](1, 2, 15.0)
    assert not figures.wrong, "\n".join(figures.wrong)
    assert figures.killed and figures.equal == figures.tries
