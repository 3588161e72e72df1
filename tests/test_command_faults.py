"""What happens to commands from outside: signals, kills, full disks, closed outputs, users without a home."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_cli import COMMAND, ROOT, write_wav
from waiting import wait_for_writing

from geneface.cli import main
from geneface.errors import InputError
from geneface.media.video import VideoReader, VideoWriter, check_output, probe
from geneface.media.webm import TransparentWriter

BLACK = np.zeros((1, 64, 64, 3), np.uint8)


def command(*arguments: object) -> list[str]:
    return [*COMMAND, *map(str, arguments)]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_signals_leave_nothing(tiny_bundle: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    audio = write_wav(tmp_path / "long.wav", np.zeros(16000 * 1200, np.float32))
    arguments = command("generate", audio, "-o", folder / "out.mp4", "--person", tiny_bundle, "--device", "cpu")
    number = getattr(signal, name)
    with subprocess.Popen(
        arguments, cwd=ROOT, stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(number, signal.SIG_DFL)
    ) as process:
        assert process.stderr is not None
        wait_for_writing(folder, process)
        process.send_signal(number)
        rest = process.stderr.read().decode()
        assert process.wait(timeout=60) == 128 + number
    assert rest.rstrip().splitlines()[-1] == "error: terminated; nothing was written"
    assert not list(folder.iterdir())


KILLED = """
import os, signal, sys
import numpy as np
from geneface.media.video import VideoWriter
writer = VideoWriter(sys.argv[1], (64, 64))
writer.write(np.zeros((50, 64, 64, 3), np.uint8))
open(f"{writer._partial}".removesuffix(".mp4") + ".signed.mp4", "wb").close()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_kill_left_goes_at_the_next_start(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / name)], cwd=ROOT, timeout=100)
    # Another run's file that is being written stays, and so does all that is not ours.
    kept = {".a.hidden.mp4", "film.mp4.lock", "film.mp4"}
    for name in kept:
        (tmp_path / name).write_bytes(b"mine")
    with TransparentWriter(tmp_path / "c.webm", (64, 64)) as writer:
        writer.write(np.zeros((1, 64, 64, 4), np.uint8))
        alive = {path.name for path in tmp_path.iterdir() if "c.geneface" in path.name}
        assert len(alive) == 2
        check_output(tmp_path / "other.mp4")
        assert {path.name for path in tmp_path.iterdir()} == kept | alive
    assert {path.name for path in tmp_path.iterdir()} == kept | {"c.webm"}


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", (64, 64)) as one, VideoWriter(tmp_path / "a.mp4", (64, 64)) as other:
        one.write(BLACK)
        other.write(np.repeat(BLACK, 3, axis=0))
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
    with VideoReader(tmp_path / "a.mp4") as reader:
        assert len(list(reader)) == 1, "the one that ended last"


def test_the_exit_code_tells_of_the_video(tiny_bundle: Path, speech: np.ndarray, tmp_path: Path) -> None:
    audio = write_wav(tmp_path / "s.wav", speech[:8000])
    output = tmp_path / "видео.mp4"
    arguments = command(
        "generate", audio, "-o", output, "--person", tiny_bundle, "--device", "cpu", "--size", "64", "--seed", "1"
    )
    with open("/dev/full", "w") as full:
        done = subprocess.run(arguments, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=200)
    assert done.returncode == 0 and probe(output).video_seconds == 0.52
    assert "warning: all is done, but that could not be printed (No space left on device)" in done.stderr
    output.unlink()
    environment = os.environ | {"PYTHONIOENCODING": "cp1252"}
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=200, env=environment)
    assert done.returncode == 0 and output.is_file()
    assert "\\u0432\\u0438\\u0434\\u0435\\u043e.mp4" in done.stdout


def test_what_cannot_be_printed_is_a_failure_of_a_command_that_only_prints() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command("persons"), cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=100
        )
    assert done.returncode == 1
    assert done.stderr.startswith("error: there is no space left") and done.stderr.count("\n") == 1


def test_an_input_is_never_written_over(tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = tmp_path / "same.mp4"
    with VideoWriter(film, (64, 64)) as writer:
        writer.write(np.repeat(BLACK, 25, axis=0))
    before = hashlib.sha256(film.read_bytes()).hexdigest()
    os.link(film, tmp_path / "hard.mp4")
    (tmp_path / "soft.mp4").symlink_to(film)
    other = write_wav(tmp_path / "s.wav", np.zeros(16000, np.float32))
    for output in (film, tmp_path / "." / "same.mp4", tmp_path / "hard.mp4", tmp_path / "soft.mp4"):
        for arguments in ([film, "-o", output], [other, "-o", output, "--background", film]):
            assert main(["generate", *map(str, arguments), "--person", str(tiny_bundle)]) == 2
            assert "is the file that is read" in capsys.readouterr().err
    assert hashlib.sha256(film.read_bytes()).hexdigest() == before
    model = tmp_path / "BFM_model_front.mat"
    model.write_bytes(b"model")
    assert main(["face-model", str(model), "-o", str(model)]) == 2
    assert model.read_bytes() == b"model"


def test_names_that_the_disk_does_not_take(tmp_path: Path) -> None:
    for name in ("字" * 86 + ".mp4", "a\0.mp4"):
        with pytest.raises(InputError, match=r"cannot be written"):
            check_output(tmp_path / name)
    check_output(tmp_path / ("字" * 80 + ".mp4"))
    assert not list(tmp_path.iterdir())


def test_a_user_without_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from geneface.hub.assets import assets_folder
    from geneface.media.certificate import development_identity

    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "GENEFACE_ASSETS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    assert development_identity().chain != development_identity().chain, "one for each video"
    with pytest.raises(InputError, match="set GENEFACE_ASSETS"):
        assets_folder()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device"), "there is no space left"),
        (OSError(28, "No space left on device", "/tmp"), "on the disk of /tmp; free some, or set TMPDIR"),
        (PermissionError(13, "Permission denied", "/x/y"), "/x/y may not be read or written (Permission denied)"),
        (OSError(36, "File name too long", "long"), "the name long is longer"),
        (OSError(24, "Too many open files"), "too many files are open"),
        (OSError(5, "Input/output error", "a.wav"), "a.wav cannot be read or written (Input/output error)"),
        (OSError("odd"), "(odd)"),
    ],
)
def test_what_the_system_refuses_is_a_sentence(
    error: OSError, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr("geneface.hub.persons.list_persons", fail)
    assert main(["persons"]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("error: ") and words in printed and "--debug" not in printed
