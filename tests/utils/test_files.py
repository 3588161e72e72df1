"""Files and folders that are whole or not there, and work that one process at a time goes on with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from geneface import InputError
from geneface.utils import files
from geneface.utils.files import ResumableFolder, atomic_folder, atomic_write, finished, locked, read_json, write_json


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    with atomic_folder(target) as folder:
        (folder / "old").touch()
    with pytest.raises(RuntimeError), atomic_folder(target) as folder:
        (folder / "new").touch()
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"] and (target / "old").exists()


def test_a_folder_is_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "report"
    for name in ("one", "two"):
        with atomic_folder(target) as folder:
            (folder / name).touch()
            assert not (target / name).exists()
    assert names(tmp_path) == ["report"] and names(target) == ["two"]
    replace = os.replace

    def full(source: Path, place: Path) -> None:
        if place == target and not (source / "two").exists():
            raise OSError("the disk is full")
        replace(source, place)

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(OSError, match="full"), atomic_folder(target) as folder:
        (folder / "three").touch()
    assert names(tmp_path) == ["report"] and names(target) == ["two"], "the old one is back"
    (tmp_path / "words.txt").write_text("mine")
    with pytest.raises(InputError, match="not a folder"), atomic_folder(tmp_path / "words.txt"):
        pass
    assert (tmp_path / "words.txt").read_text() == "mine"


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "note.json"
    write_json(path, {"a": 1})
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask
    with pytest.raises(RuntimeError), atomic_write(path) as partial:
        assert partial.suffix == ".json" and read_json(path) == {"a": 1}
        partial.write_text("half")
        raise RuntimeError
    assert names(tmp_path) == ["note.json"] and read_json(path) == {"a": 1}
    with pytest.raises(InputError, match="cannot write"):
        write_json(tmp_path / "nowhere" / "note.json", {})


def test_what_gets_a_name_has_reached_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything in it before it is renamed, and the folder of the name afterwards."""
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("open files are told from /proc")
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def noted(handle: int) -> None:
        done.append(os.path.basename(os.readlink(f"/proc/self/fd/{handle}")))
        fsync(handle)

    monkeypatch.setattr(files.os, "fsync", noted)
    monkeypatch.setattr(files.os, "replace", lambda *names: (done.append("rename"), replace(*names)))
    with atomic_folder(tmp_path / "bundle") as folder:
        (folder / "part").mkdir()
        (folder / "part" / "weights").write_bytes(b"1")
    assert {"weights", "part", "new"} <= set(done[: done.index("rename")]) and done[-1] == tmp_path.name
    done.clear()
    write_json(tmp_path / "note.json", {})
    assert done[0].endswith(".note.json") and done[1:] == ["rename", tmp_path.name]


def test_a_message_says_what_kind_of_file_it_is(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    with pytest.raises(InputError, match="the bundle is incomplete; get the bundle again"):
        read_json(path)
    with pytest.raises(InputError, match="the dataset is incomplete; preprocess the video again"):
        read_json(path, "dataset")
    path.write_text("[")
    with pytest.raises(InputError, match=r"cannot be read as JSON .*; name another file of settings"):
        read_json(path, "settings")
    path.write_text("[]")
    with pytest.raises(InputError, match="JSON object; remove its folder and begin again"):
        read_json(path, "run")


def test_work_is_kept_unless_it_is_of_something_else(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt), ResumableFolder(target, {"of": 1}) as work:
        with work.making("a.txt") as partial:
            partial.write_text("a")
        (work.path / ".partial.killed.b.txt").touch()
        raise KeyboardInterrupt
    assert finished(target, "note.json", {"of": 1}, "dataset") is None
    with ResumableFolder(target, {"of": 1}) as work:
        assert {"a.txt", "job.json"} <= set(names(work.path)) and ".partial.killed.b.txt" not in names(work.path)
    with ResumableFolder(target, {"of": 2}) as work:
        assert "a.txt" not in names(work.path)
        write_json(work.path / "note.json", {"made_of": {"of": 2}})
        (work.path / "passing").mkdir()
        work.finish(without=["passing"])
    assert names(tmp_path) == ["out"] and names(target) == ["note.json"]
    assert finished(target, "note.json", {"of": 2}, "dataset")
    with pytest.raises(InputError, match="something else"):
        finished(target, "note.json", {"of": 1}, "dataset")


def test_one_process_at_a_time(tmp_path: Path) -> None:
    words = f"from geneface.utils.files import *\nwith ResumableFolder(Path({str(tmp_path / 'out')!r}), {{}}): pass"
    other = [sys.executable, "-c", words]
    with ResumableFolder(tmp_path / "out", {}) as work:
        assert b"another process works in" in subprocess.run(other, capture_output=True).stderr
        with pytest.raises(InputError, match="another process"), locked(work.path):
            pass
        work.making("a.txt").__enter__().touch()
    subprocess.run(other, check=True)
