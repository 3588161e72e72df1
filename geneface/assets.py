"""Third-party models that training a person needs and the project may not ship: where they are, how to get them."""

import hashlib
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from geneface.errors import InputError

VARIABLE = "GENEFACE_ASSETS"
BLOCK = 1 << 20
ATTEMPTS = 3


@dataclass(frozen=True)
class Asset:
    """One file, by its name in the folder of assets."""

    name: str
    purpose: str
    licence: str
    url: str
    sha256: str
    """Of what is downloaded; empty where that is an archive which is checked after its conversion."""
    tensors_sha256: str = ""
    """Of a converted face model's tensors, see `face.convert.tensors_digest`."""


FACE_LANDMARKER = Asset(
    "face_landmarker.task",
    "landmarks (MediaPipe FaceLandmarker)",
    "Apache-2.0",
    "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task",
    "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
)
FACE_PARSER = Asset(
    "bisenetv2_celebamaskhq_448x448.tflite",
    "head, torso, background (BiSeNetV2 on CelebAMask-HQ)",
    "MIT",
    "https://raw.githubusercontent.com/terryky/tflite_gles_app/bfc2015a6d1234deebc9574798b175a6d1b2afc2/"
    "gl2face_segmentation/model/bisenetv2_celebamaskhq_448x448_integer_quant.tflite",
    "d0c1fc479bbd40084283043abf01d11a5c3a54b2ecc4bc812cde6f36989ad22a",
)
FACE_MODEL = Asset(
    "ict_face_model.safetensors",
    "3D face model (ICT-FaceKit, converted on arrival)",
    "MIT",
    "https://github.com/ICT-VGL/ICT-FaceKit/archive/da5f95a607f5e6b37755b38d3385d7f2853732e5.zip",
    "",
    "3cefc6ed3b9aa6ed087947503d15986087b0d1ce7d3873542e707fa877bc2e7b",
)
ASSETS = (FACE_LANDMARKER, FACE_PARSER, FACE_MODEL)

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are there and those there will be, if known."""


def assets_folder(folder: str | Path | None = None) -> Path:
    """Where assets are: `folder` if given, else what GENEFACE_ASSETS names, else the user's cache."""
    if folder or os.environ.get(VARIABLE):
        return Path(folder or os.environ[VARIABLE])
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "geneface" / "assets"


def find_asset(asset: Asset, folder: str | Path | None = None) -> Path | None:
    """The file, if it is here."""
    path = assets_folder(folder) / asset.name
    return path if path.is_file() else None


def get_asset(asset: Asset, folder: str | Path | None = None, progress: Progress | None = None) -> Path:
    """The file, fetched at first need; `InputError` that says which file to put where if that cannot be done."""
    found = find_asset(asset, folder)
    return found or fetch_asset(asset, folder, progress)


def fetch_asset(asset: Asset, folder: str | Path | None = None, progress: Progress | None = None) -> Path:
    """Download, check and put in its place; a download that broke off goes on where it stopped."""
    target = assets_folder(folder) / asset.name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.download")
        download(asset.url, partial, progress)
    except (OSError, urllib.error.URLError) as error:
        reason = getattr(error, "reason", None) or error
        raise InputError(
            f"{asset.name} is needed for {asset.purpose} and could not be fetched ({reason}); "
            f"get it from {asset.url} and put it into {target.parent}"
            + (", converted with `geneface face-model`" if asset.tensors_sha256 else "")
        ) from None
    if asset.tensors_sha256:
        _convert(asset, partial, target)
    else:
        if file_digest(partial) != asset.sha256:
            partial.unlink()
            raise InputError(
                f"what {asset.url} gave is not the file that was expected (wrong SHA-256); nothing is kept"
            )
        os.replace(partial, target)
    return target


def _convert(asset: Asset, archive: Path, target: Path) -> None:
    from geneface.face.convert import convert_archive, tensors_digest

    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        converted = Path(folder) / target.name
        try:
            convert_archive(archive, converted)
            if tensors_digest(converted) != asset.tensors_sha256:
                raise InputError(f"what {asset.url} gave is not the model that was expected (wrong SHA-256)")
        finally:
            archive.unlink()
        os.replace(converted, target)


def file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def download(url: str, partial: Path, progress: Progress | None = None) -> None:
    """Fetch `url` into `partial`, going on from what is there already; raises OSError."""
    for attempt in range(ATTEMPTS):
        have = partial.stat().st_size if partial.exists() else 0
        request = urllib.request.Request(url, headers={"User-Agent": "geneface"})
        if have:
            request.add_header("Range", f"bytes={have}-")
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                resumed = have > 0 and response.status == 206
                length = response.headers.get("Content-Length")
                total = int(length) + (have if resumed else 0) if length else None
                have = have if resumed else 0
                with partial.open("ab" if resumed else "wb") as file:
                    while block := response.read(BLOCK):
                        file.write(block)
                        have += len(block)
                        if progress:
                            progress(have, total)
            if total is None or have >= total:
                return
        except urllib.error.HTTPError as error:
            if error.code == 416 and have:  # All of it, or more, is there: the checksum will tell.
                return
            raise
        except OSError:
            if attempt == ATTEMPTS - 1:
                raise
    raise OSError("the connection broke off")
