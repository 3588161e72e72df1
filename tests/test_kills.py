"""The short form of the campaign's kills: each command is killed once in the middle of its work, and goes on."""

import pytest

from tests.campaign.kills import KILLS


@pytest.mark.slow
@pytest.mark.parametrize("command", KILLS)
def test_nothing_is_lost_by_a_kill(command: str) -> None:
    figures = KILLS[command](2, 1, 0.0)
    assert not figures.wrong, "\n".join(figures.wrong)
    assert figures.tries == figures.equal == 1
