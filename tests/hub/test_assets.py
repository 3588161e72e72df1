"""Third-party models over a loopback server: fetched, gone on with, checked, or explained."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from geneface.errors import InputError
from geneface.hub import assets
from geneface.hub.assets import ASSETS, Asset, assets_folder, fetch_asset, find_asset, get_asset, is_genuine

CONTENT = bytes(range(256)) * 5000


class Server(ThreadingHTTPServer):
    breaks = 0
    """How many answers break off half-way."""
    ranges: list[str | None]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if self.path == "/missing":
            self.send_error(404)
            return
        if start >= len(CONTENT):
            self.send_error(416)
            return
        body = CONTENT[start:]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.server.breaks:
            self.server.breaks -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.ranges = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def model(server: Server, path: str = "/model", digest: str = "") -> Asset:
    sha = digest or hashlib.sha256(CONTENT).hexdigest()
    return Asset("model.bin", "testing", "MIT", f"http://127.0.0.1:{server.server_port}{path}", sha)


def test_fetched_once_and_then_found(server: Server, tmp_path: Path) -> None:
    asset = model(server)
    assert find_asset(asset, tmp_path) is None
    path = get_asset(asset, tmp_path)
    assert path.read_bytes() == CONTENT and is_genuine(asset, path)
    assert get_asset(asset, tmp_path) == path and len(server.ranges) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.bin"]


def test_a_broken_download_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.breaks = 2
    assert fetch_asset(model(server), tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={len(CONTENT) // 2}-", f"bytes={len(CONTENT) * 3 // 4}-"]


def test_one_that_keeps_breaking_is_kept_for_the_next_time(server: Server, tmp_path: Path) -> None:
    server.breaks = 3
    with pytest.raises(InputError, match=r"could not be fetched"):
        fetch_asset(model(server), tmp_path)
    assert not (tmp_path / "model.bin").exists()
    assert fetch_asset(model(server), tmp_path).read_bytes() == CONTENT
    assert server.ranges[-1] is not None


def test_a_wrong_checksum_is_refused_and_nothing_kept(server: Server, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="SHA-256"):
        fetch_asset(model(server, digest="0" * 64), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_it_says_which_file_to_put_where(tmp_path: Path) -> None:
    asset = Asset("model.bin", "testing", "MIT", "http://127.0.0.1:9/model", "0" * 64)
    with pytest.raises(InputError, match=rf"model\.bin.*http://127\.0\.0\.1:9/model.*{tmp_path}"):
        fetch_asset(asset, tmp_path)


def test_a_missing_page_is_not_tried_again(server: Server, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"404|Not Found"):
        fetch_asset(model(server, "/missing"), tmp_path)
    assert len(server.ranges) == 1


def test_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(assets.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert assets_folder() == tmp_path / "cache/geneface/assets"
    monkeypatch.setenv(assets.VARIABLE, str(tmp_path / "env"))
    assert assets_folder() == tmp_path / "env"
    assert assets_folder(tmp_path / "flag") == tmp_path / "flag"


@pytest.mark.real_data
def test_the_files_of_the_table_are_the_expected_ones(shared: Path) -> None:
    for asset in ASSETS:
        path = find_asset(asset, shared / "models")
        assert path is not None and is_genuine(asset, path)


def test_an_archive_is_converted_on_arrival(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from geneface.face import convert

    def convert_archive(archive: Path, target: Path) -> None:
        target.write_bytes(archive.read_bytes()[:10])

    monkeypatch.setattr(convert, "convert_archive", convert_archive)
    monkeypatch.setattr(convert, "tensors_digest", lambda path: path.read_bytes().hex())
    address = f"http://127.0.0.1:{server.server_port}/archive"
    asset = Asset("face.safetensors", "testing", "MIT", address, "", CONTENT[:10].hex())
    assert fetch_asset(asset, tmp_path).read_bytes() == CONTENT[:10]
    with pytest.raises(InputError, match="SHA-256"):
        fetch_asset(Asset("other", "testing", "MIT", address, "", "00"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["face.safetensors"]
