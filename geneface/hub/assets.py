"""Third-party models that training a person needs and the project may not ship: where they are, how to get them."""

import hashlib
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPResponse
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


def assets_folder(folder: str | Path | None = None) -> Path:
    """Where assets are: `folder` if given, else what GENEFACE_ASSETS names, else the user's cache."""
    if folder or os.environ.get(VARIABLE):
        return Path(folder or os.environ[VARIABLE])
    try:
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        raise InputError(f"this user has no home folder; set {VARIABLE} to the folder of the models") from None
    return Path(cache) / "geneface" / "assets"


def find_asset(asset: Asset, folder: str | Path | None = None) -> Path | None:
    """The file, if it is here."""
    path = assets_folder(folder) / asset.name
    return path if path.is_file() else None


def is_genuine(asset: Asset, path: Path) -> bool:
    """Whether a file is what the table says."""
    if asset.tensors_sha256:
        from geneface.face.convert import tensors_digest

        return tensors_digest(path) == asset.tensors_sha256
    return file_digest(path) == asset.sha256


def get_asset(asset: Asset, folder: str | Path | None = None) -> Path:
    """The file, fetched at first need; `InputError` that says which file to put where if that cannot be done."""
    return find_asset(asset, folder) or fetch_asset(asset, folder)


def fetch_asset(asset: Asset, folder: str | Path | None = None) -> Path:
    """Download with a progress bar, check and put in its place; a download that broke off goes on where it stopped."""
    target = assets_folder(folder) / asset.name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.download")
        download(asset.url, partial)
    except (OSError, urllib.error.URLError) as error:
        reason = getattr(error, "reason", None) or error
        raise InputError(
            f"{asset.name} is needed for {asset.purpose} and could not be fetched ({reason}); "
            f"get it from {asset.url} and put it into {target.parent}"
            + (", converted with `geneface face-model`" if asset.tensors_sha256 else "")
        ) from None
    if asset.tensors_sha256:
        _convert(partial, target, asset)
    else:
        _accept(partial, target, asset)
    return target


def _convert(archive: Path, target: Path, asset: Asset) -> None:
    from geneface.face.convert import convert_archive

    converted = target.with_name(f".{target.name}.converted")
    try:
        convert_archive(archive, converted)
    finally:
        archive.unlink()
    _accept(converted, target, asset)


def _accept(file: Path, target: Path, asset: Asset) -> None:
    if not is_genuine(asset, file):
        file.unlink()
        raise InputError(f"what {asset.url} gave is not the file that was expected (wrong SHA-256); nothing is kept")
    os.replace(file, target)


def file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def download(url: str, partial: Path) -> None:
    """Fetch `url` into `partial`, going on from what is there already; raises OSError."""
    for attempt in range(ATTEMPTS):
        have = partial.stat().st_size if partial.exists() else 0
        headers = {"User-Agent": "geneface"} | ({"Range": f"bytes={have}-"} if have else {})
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as response:
                have = have if response.status == 206 else 0
                total = have + int(response.headers.get("Content-Length") or 0)
                _receive(response, partial, have, total)
            if partial.stat().st_size >= total:
                return
        except urllib.error.HTTPError as error:
            if error.code == 416:  # All of it, or more, is there: the checksum will tell.
                return
            raise
        except OSError:
            if attempt == ATTEMPTS - 1:
                raise
    raise OSError("the connection broke off")


def _receive(response: HTTPResponse, partial: Path, have: int, total: int) -> None:
    from tqdm import tqdm

    name = partial.name.strip(".").removesuffix(".download")
    bar = tqdm(desc=name, initial=have, total=total or None, unit="B", unit_scale=True, leave=False, disable=None)
    with partial.open("ab" if have else "wb") as file, bar:
        while block := response.read(BLOCK):
            file.write(block)
            bar.update(len(block))
