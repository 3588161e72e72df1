"""What is damaged, and what must come of it: it is taken, or refused in one sentence; nothing else.

Each subject is made once in a folder, from nothing but synthetic sound and pictures, and then tried by number.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Protocol

import numpy as np

from tests.campaign.mutate import damaged, damaged_json, damaged_weights

SECONDS = 1.5
LONGEST = 600.0


class Wrong(Exception):
    """It was taken, but what came out is wrong."""


class Subject(Protocol):
    def __init__(self, folder: Path) -> None: ...
    def attempt(self, random: Random) -> None:
        """Raises `InputError` for what is refused, anything else for what is wrong."""


def babble(seconds: float = SECONDS) -> np.ndarray:
    time = np.arange(int(seconds * 16000)) / 16000
    random = np.random.default_rng(0)
    return (
        0.2 * np.sin(2 * np.pi * 150 * time) * (np.sin(9 * time) > 0) + 0.02 * random.normal(size=len(time))
    ).astype("f")


def encode(path: Path, codec: str, layout: str = "mono", rate: int = 48000, video: str = "") -> bytes:
    """A small media file."""
    import av

    with av.open(str(path), "w") as container:
        picture = container.add_stream(video, rate=25) if video else None
        if picture is not None:
            picture.width = picture.height = 64
            picture.pix_fmt = "yuv420p"
        sound = container.add_stream(codec, rate=rate, layout=layout)
        if picture is not None:
            for index in range(int(SECONDS * 25)):
                pixels = np.full((64, 64, 3), 5 * index, np.uint8)
                pixels[index : index + 9, 20:40] = (250, 80, 20)
                container.mux(picture.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
            container.mux(picture.encode(None))
        frame = av.AudioFrame.from_ndarray(np.repeat(babble(), 3)[None], "flt", "mono")
        frame.sample_rate = 48000
        resampler = av.AudioResampler(
            sound.codec_context.format, layout, rate, frame_size=sound.codec_context.frame_size or 1024
        )
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(sound.encode(part))
        container.mux(sound.encode(None))
    return path.read_bytes()


class Audio:
    """Recordings of every common kind."""

    KINDS = (("wav", "pcm_s16le"), ("mp3", "libmp3lame"), ("flac", "flac"), ("m4a", "aac"),
             ("opus", "libopus"), ("webm", "libopus"), ("aiff", "pcm_s16be"))  # fmt: skip

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._whole = {suffix: encode(folder / f"whole.{suffix}", codec, "mono") for suffix, codec in self.KINDS}

    def attempt(self, random: Random) -> None:
        from geneface.errors import InputError
        from geneface.media.audio import open_audio

        def check(seconds: float) -> None:
            if seconds > LONGEST:
                raise InputError("too long")

        suffix = random.choice(sorted(self._whole))
        path = self._folder / f"damaged.{suffix}"
        path.write_bytes(damaged(self._whole[suffix], random))
        with open_audio(path, check_seconds=check) as source:
            if not np.isfinite(source.read(0, source.samples)).all():
                raise Wrong("samples that are not finite")
            source.read_track(0, source.track_samples)


class Videos:
    """Films, read as `preprocess` and a driving video are."""

    KINDS = (("mp4", "libx264", "aac"), ("mkv", "libx264", "libopus"), ("webm", "libvpx-vp9", "libopus"),
             ("avi", "mpeg4", "libmp3lame"), ("ts", "libx264", "aac"))  # fmt: skip

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._whole = {kind[0]: encode(folder / f"whole.{kind[0]}", kind[2], video=kind[1]) for kind in self.KINDS}

    def attempt(self, random: Random) -> None:
        from geneface.media.resample import SteadyVideo
        from geneface.media.video import VideoReader, probe

        suffix = random.choice(sorted(self._whole))
        path = self._folder / f"damaged.{suffix}"
        path.write_bytes(damaged(self._whole[suffix], random))
        probe(path)
        with VideoReader(path) as video:
            if any(frame.dtype != np.uint8 or frame.ndim != 3 for _, frame in zip(range(60), video, strict=False)):
                raise Wrong("frames of another kind")
        with SteadyVideo(path) as steady:
            for _, moment in zip(range(60), steady, strict=False):
                steady.picture(moment)


class Pictures:
    """Previews and backgrounds."""

    KINDS = ("png", "jpg", "webp", "gif", "bmp", "tiff")

    def __init__(self, folder: Path) -> None:
        from PIL import Image

        self._folder, self._whole = folder, {}
        pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
        for suffix in self.KINDS:
            Image.fromarray(pixels).save(folder / f"whole.{suffix}")
            self._whole[suffix] = (folder / f"whole.{suffix}").read_bytes()

    def attempt(self, random: Random) -> None:
        from geneface.media.image import read_image

        suffix = random.choice(self.KINDS)
        path = self._folder / f"damaged.{suffix}"
        path.write_bytes(damaged(self._whole[suffix], random))
        if read_image(path, (32, 32)).shape != (32, 32, 3):
            raise Wrong("another shape")


class Bundles:
    """A person from a stranger: its index, configs, weights, card, links and odd files."""

    def __init__(self, folder: Path) -> None:
        from tiny import tiny_components

        from geneface.bundles.card import Card
        from geneface.bundles.loading import save_components

        self._folder = folder
        save_components(folder / "whole", tiny_components(), card=Card("Tiny", figures={"PSNR": "30 dB"}))
        self._sound = babble(0.4)

    def attempt(self, random: Random) -> None:
        from geneface import GeneFacePipeline

        bundle = self._folder / "damaged"
        shutil.rmtree(bundle, ignore_errors=True)
        shutil.copytree(self._folder / "whole", bundle)
        files = sorted(path for path in bundle.rglob("*") if path.is_file())
        for _ in range(random.choice((1, 1, 1, 2))):
            self._damage(bundle, random.choice(files), random)
        pipe = GeneFacePipeline.from_pretrained(bundle, device="cpu")
        pipe.set_progress_bar_config(disable=True)
        frames = pipe(self._sound, 16000, seed=1).frames
        if frames.shape[:1] != (10,) or frames.dtype != np.uint8:
            raise Wrong(f"frames {frames.shape} {frames.dtype}")

    @staticmethod
    def _damage(bundle: Path, file: Path, random: Random) -> None:
        kind = random.randrange(12)
        if not file.is_file() or file.is_symlink():
            return
        if kind == 0:
            file.unlink()
        elif kind == 1:
            file.unlink()
            target = random.choice(("/dev/zero", "/etc/passwd", "/dev/urandom", str(file), "../../whole", "\udcff"))
            file.symlink_to(target)
        elif kind == 2:
            file.unlink()
            os.mkfifo(file)
        elif kind == 3:
            with file.open("r+b") as sparse:
                sparse.truncate(random.choice((0, 5 * 2**30)))
        elif kind == 4:
            others = sorted(path for path in bundle.rglob(f"*{file.suffix}") if path.is_file())
            file.write_bytes(random.choice(others).read_bytes())
        elif file.suffix == ".json":
            file.write_bytes(damaged_json(file.read_bytes(), random))
        else:
            file.write_bytes(damaged_weights(file.read_bytes(), random))


class Signed:
    """Videos with credentials and a watermark; damaged, they must not count as unaltered unless all that is seen and
    heard is the same."""

    def __init__(self, folder: Path) -> None:
        from tiny import tiny_components

        from geneface.pipelines.generate import generate_video
        from geneface.pipelines.pipeline import GeneFacePipeline

        self._folder = folder
        pipe = GeneFacePipeline(**tiny_components(), name="tiny").to("cpu")
        pipe.set_progress_bar_config(disable=True)
        generate_video(pipe, babble(), folder / "whole.mp4", sampling_rate=16000, seed=1)
        self._whole = (folder / "whole.mp4").read_bytes()
        self._shown = _shown(folder / "whole.mp4")

    def attempt(self, random: Random) -> None:
        from geneface.media.check import check_file

        path = self._folder / "damaged.mp4"
        path.write_bytes(damaged(self._whole, random))
        found = check_file(path)
        found.report()
        if found.provenance.state == "valid" and not found.provenance.altered and _shown(path) != self._shown:
            raise Wrong("altered, and said to be unaltered")


def _shown(path: Path) -> str:
    """A digest of all frames and samples."""
    import av

    digest = hashlib.sha256()
    with av.open(str(path)) as container:
        for frame in container.decode(*container.streams.video, *container.streams.audio):
            digest.update(frame.to_ndarray().tobytes())
    return digest.hexdigest()


SUBJECTS: dict[str, Callable[[Path], Any]] = {
    "audio": Audio,
    "videos": Videos,
    "pictures": Pictures,
    "bundles": Bundles,
    "signed": Signed,
}


def outcome(subject: Any, random: Random) -> str:
    """ "taken", "refused", or what went wrong."""
    from geneface.errors import InputError

    try:
        subject.attempt(random)
    except InputError as error:
        text = str(error)
        return "refused" if text and json.dumps(text) else "wrong: refused without a word"
    except Exception as error:
        return f"wrong: {type(error).__name__}: {str(error)[:200]}"
    return "taken"
