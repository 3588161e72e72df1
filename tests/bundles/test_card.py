"""Cards in bundles and on the Hub."""

import json

import pytest

from geneface import InputError
from geneface.bundles.card import Card, Figure, generic_readme, person_readme, read_card, write_card
from geneface.hub.persons import PERSONS_DIR, list_persons


def test_round_trip(tmp_path):
    assert read_card(tmp_path) is None
    card = Card("Ada", about="A person.", consent="Yes, I agree.", figures={"PSNR": "30 dB"}, limits="None known.")
    write_card(tmp_path, card)
    assert read_card(tmp_path) == card


def test_figures_stay_numbers(tmp_path):
    card = Card("Ada", figures={"PSNR": Figure(30.456, "dB"), "r": Figure(0.756, digits=2), "mood": "fine"})
    write_card(tmp_path, card)
    assert read_card(tmp_path) == card
    assert [str(value) for value in card.figures.values()] == ["30.5 dB", "0.76", "fine"]
    assert "| PSNR | 30.5 dB |" in person_readme(card, "user/ada", [])
    (tmp_path / "card.json").write_text(json.dumps({"name": "Ada", "figures": {"PSNR": {"value": "much"}}}))
    with pytest.raises(InputError, match="figures must map"):
        read_card(tmp_path)


def test_entries_of_a_later_release_are_passed_over(tmp_path):
    (tmp_path / "card.json").write_text(json.dumps({"name": "Ada", "voice": {"pitch": 3}, "figures": {"PSNR": 30.5}}))
    assert read_card(tmp_path) == Card("Ada", figures={"PSNR": "30.5"})


@pytest.mark.parametrize("content", [{"about": "x"}, {"name": 3}, {"name": "Ada", "figures": [1]}, []])
def test_damaged_cards(tmp_path, content):
    (tmp_path / "card.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"card\.json"):
        read_card(tmp_path)


def test_what_is_not_known_is_said():
    readme = person_readme(Card("Ada", consent="I agree."), "user/ada", ["geneface"])
    for heading in ("Training data", "Held-out figures", "Limits"):
        assert f"## {heading}\n\nNot stated." in readme
    assert "carried in this repository" in readme and "$" not in readme


def test_words_stay_where_they_belong():
    card = Card("Ada\n# Eve", consent="$name\n## Licence: none", figures={"a|b": "1\n| c | 2 |"})
    readme = person_readme(card, "user/ada", ["geneface"], generic="user/generic")
    assert "# Ada # Eve\n" in readme
    assert "> $name\n> ## Licence: none\n" in readme
    assert "| a\\|b | 1 \\| c \\| 2 \\| |" in readme
    assert "[user/generic](https://huggingface.co/user/generic)" in readme
    assert "--link-generic user/generic" in generic_readme("user/generic", ["geneface"])


@pytest.mark.parametrize("name", list_persons())
def test_embedded_persons_have_complete_cards(name):
    card = read_card(PERSONS_DIR / name)
    assert card and card.about and card.consent and card.training_data and card.figures and card.limits
