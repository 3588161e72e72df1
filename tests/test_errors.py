import pytest

from geneface.errors import InputError, run_script


def test_a_script_ends_at_bad_input_with_one_sentence(capsys):
    def main() -> None:
        raise InputError("clip.mp4 is empty; give another")

    with pytest.raises(SystemExit) as end:
        run_script(main)
    assert end.value.code == 2
    assert capsys.readouterr().err == "error: clip.mp4 is empty; give another\n"
