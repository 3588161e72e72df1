"""What Windows would do, as far as a stand-in on another system shows it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from geneface import InputError
from geneface.media.intake import on_disk
from geneface.ui import job_process
from geneface.ui.job_process import JobProcess
from geneface.utils import files
from geneface.utils.files import LOCK, ResumableFolder


def open_files() -> set[str]:
    return {os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")}


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file that is open is removed, and no folder with one in it is renamed."""
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("open files are told from /proc")
    replace, unlink = os.replace, Path.unlink

    def replacing(source: Any, target: Any) -> None:
        inside = f"{os.path.realpath(source)}/"
        if any(name.startswith(inside) for name in open_files()):
            raise PermissionError(13, "a file in it is open", str(source))
        replace(source, target)

    def unlinking(path: Path, missing_ok: bool = False) -> None:
        if os.path.realpath(path) in open_files():
            raise PermissionError(13, "it is open", str(path))
        unlink(path, missing_ok)

    monkeypatch.setattr(files, "WINDOWS", True)
    monkeypatch.setattr(files.os, "replace", replacing)
    monkeypatch.setattr(Path, "unlink", unlinking)


@pytest.mark.usefixtures("windows")
def test_folders_of_work_where_open_files_cannot_be_moved(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), ResumableFolder(tmp_path / "out", {"of": 1}):
        raise KeyboardInterrupt
    with ResumableFolder(tmp_path / "out", {"of": 1}) as work:
        with work.making("a.txt") as partial:
            partial.write_text("a", encoding="utf-8")
        work.finish()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.txt"]
    for text in ("one", "two"):
        with files.atomic_folder(tmp_path / "bundle") as folder:
            (folder / "file").write_text(text, encoding="utf-8")
    left = tmp_path / ".bundle.unwritten.killed"
    left.mkdir()
    (left / LOCK).touch()
    files.recover(tmp_path / "bundle")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "out"]


@pytest.mark.usefixtures("windows")
def test_a_scanner_that_holds_a_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace, held = files.os.replace, 3

    def replacing(source: Any, target: Any) -> None:
        nonlocal held
        held -= 1
        if held >= 0:
            raise PermissionError(13, "another process uses it", str(source))
        replace(source, target)

    monkeypatch.setattr(files.os, "replace", replacing)
    monkeypatch.setattr(files.time, "sleep", lambda seconds: None)
    files.write_text(tmp_path / "a.txt", "a")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "a"
    held = 1000
    with pytest.raises(PermissionError):
        files.write_text(tmp_path / "b.txt", "b")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.usefixtures("windows")
def test_a_stop_before_anything_was_kept(tmp_path: Path) -> None:
    for name, kept in (("a", False), ("b", True)):
        with pytest.raises(KeyboardInterrupt) as stop, ResumableFolder(tmp_path / name, {}) as work:
            if kept:
                (work.path / "step").touch()
            raise KeyboardInterrupt
        assert bool(getattr(stop.value, "__notes__", ())) == kept
    assert [path.name for path in tmp_path.iterdir()] == [".b.unfinished"]


def test_a_pipe_is_copied_to_a_file_that_can_be_opened_again(tmp_path: Path) -> None:
    """Windows opens no file again that is still open as a temporary one."""
    os.mkfifo(tmp_path / "pipe")
    writing = subprocess.Popen(["sh", "-c", f"printf hello > '{tmp_path}/pipe'"])
    with on_disk(tmp_path / "pipe") as path:
        assert os.path.realpath(path) not in open_files() and Path(path).read_bytes() == b"hello"
    assert not Path(path).exists() and writing.wait() == 0


def test_the_page_where_there_are_no_such_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_process, "fcntl", None)
    process = JobProcess(tmp_path, 1.0)
    assert process.runs() == {}
    with pytest.raises(InputError, match="WSL"):
        process.start("anna", ["true"], tmp_path / "log")


def test_names_that_the_console_cannot_show(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252:strict", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "geneface", "verify", str(tmp_path / "話す頭.mp4")]
    done = subprocess.run(command, env=environment, capture_output=True)
    assert done.returncode == 2 and b"Traceback" not in done.stderr and b"does not exist" in done.stderr


def test_texts_are_utf8_whatever_the_system_s_own_encoding_is() -> None:
    """A bare `open` or `read_text` takes cp1252 on Windows; Python warns of each when it is asked to."""
    words = "from geneface import *; import geneface.cli, geneface.bundles.card, geneface.resources as r\n"
    words += "from geneface.hub.persons import *; from geneface.bundles.card import *\n"
    words += "read_card(PERSONS_DIR / 'vera'); r.web('page.css')"
    command = [sys.executable, "-X", "warn_default_encoding", "-W", "error::EncodingWarning:geneface", "-c", words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
