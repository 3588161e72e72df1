"""The short form of the campaign's kills: each command is killed once in the middle of its work, and goes on."""

import pytest

from tests.campaign.kills import KILLS

SEED = 788
"""Kills each command between three and six tenths of the way."""


@pytest.mark.slow
@pytest.mark.parametrize("command", KILLS)
def test_nothing_is_lost_by_a_kill(command: str) -> None:
    figures = KILLS[command](SEED, 1, 0.0)
    assert not figures.wrong, "\n".join(figures.wrong)
    assert figures.tries == figures.equal == 1 and figures.killed == 1
