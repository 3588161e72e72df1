"""Each file of `tests/odd_media` is taken as it should be, or refused in a sentence."""

import re
from pathlib import Path

import pytest

from tests.odd_media.files import FILES
from tests.odd_media.reading import as_film, as_recording


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_an_odd_file(tmp_path: Path, name: str) -> None:
    odd, path = FILES[name], tmp_path / f"file.{FILES[name].suffix}"
    odd.make(path)
    (sound, heard), (picture, seen) = as_recording(path), as_film(path)
    assert re.match(odd.recording, sound), sound
    assert re.match(odd.film, picture), picture
    notes = " ".join([*heard, *seen])
    assert odd.told in notes and ("combs" in notes) == (odd.told == "combs")
