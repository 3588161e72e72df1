"""A minute of the campaign of `tests/campaign`: seeded damage to all that is read."""

import pytest

from tests.campaign.fuzz import run
from tests.campaign.subjects import SUBJECTS

SECONDS = {"bundles": 20.0, "signed": 10.0}


@pytest.mark.slow
@pytest.mark.parametrize("subject", SUBJECTS)
def test_damaged_input_is_taken_or_refused(subject: str) -> None:
    figures = run(subject, seed=1, tries=200, seconds=SECONDS.get(subject, 5.0))
    assert not figures.wrong, "\n".join(f"try {number}: {words}" for number, words in figures.wrong)
    assert figures.tries and figures.counts["refused"] + figures.counts["taken"] == figures.tries
