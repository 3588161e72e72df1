"""Encodes a beep and a flash at the same moment in every way that PyAV can; changes bytes of what was encoded."""

import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

RATE = 48000
SECONDS, AT, LENGTH = 2.0, 1.0, 0.2
"""Of the film, and when there is a beep and a flash in it."""
SKIN = (224, 172, 140)
SIZE = (96, 64)


def beep(seconds: float = SECONDS, rate: int = RATE, at: float = AT) -> np.ndarray:
    """float32 [N]: quiet hiss, and a tone in it."""
    time = np.arange(round(seconds * rate)) / rate
    tone = 0.5 * np.sin(2 * np.pi * 440 * time) * ((time >= at) & (time < at + LENGTH))
    return (tone + 1e-4 * np.random.default_rng(0).normal(size=len(time))).astype(np.float32)


def pictures(
    frames: int = 50, rate: float = 25, size: tuple[int, int] = SIZE, first: Callable[[np.ndarray], None] | None = None
) -> Iterator[np.ndarray]:
    """uint8 [H, W, 3]: skin, white in the flash; `first` draws over each."""
    for index in range(frames):
        picture = np.full((size[1], size[0], 3), SKIN, np.uint8)
        if AT <= index / rate + 1e-6 < AT + LENGTH:
            picture[:] = 255
        if first:
            first(picture)
        yield picture


def sound_frames(samples: np.ndarray, stream: Any, rate: int, layout: str) -> Iterator[Any]:
    """What an encoder of sound takes, of samples [N] for all channels alike, or [N, channels]."""
    channels = av.AudioLayout(layout).nb_channels
    wide = samples if samples.ndim == 2 else np.repeat(samples[:, None], channels, 1)
    whole = av.AudioFrame.from_ndarray(np.ascontiguousarray(wide).reshape(1, -1), "flt", layout)
    whole.sample_rate, whole.pts, whole.time_base = rate, 0, Fraction(1, rate)
    size = stream.codec_context.frame_size or 1024
    resampler = av.AudioResampler(stream.codec_context.format, layout, rate, frame_size=size)
    yield from (*resampler.resample(whole), *resampler.resample(None))


def recording(
    path: Path,
    codec: str,
    samples: np.ndarray | None = None,
    rate: int = RATE,
    layout: str = "mono",
    *,
    container: str | None = None,
    move: Callable[[float], float | None] = lambda time: time,
    cover: bool = False,
    sample_format: str = "",
    bit_rate: int | None = None,
) -> Path:
    """Sound alone; `move` says at which time a packet lies, None leaves it out."""
    with av.open(str(path), "w", format=container) as file:
        stream: Any = file.add_stream(codec, rate=rate, layout=layout)
        if sample_format:
            stream.codec_context.format = sample_format
        if bit_rate:
            stream.codec_context.bit_rate = bit_rate
        still: Any = None
        if cover:
            still = file.add_stream("mjpeg", rate=1)
            still.width, still.height, still.pix_fmt = 64, 64, "yuvj420p"
            still.disposition = av.stream.Disposition.attached_pic
        stream.codec_context.open()
        made = sound_frames(beep(rate=rate) if samples is None else samples, stream, rate, layout)
        packets = [packet for frame in made for packet in stream.encode(frame)] + stream.encode(None)
        if still is not None:
            picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 90, np.uint8), "rgb24")
            for packet in (*still.encode(picture), *still.encode(None)):
                file.mux(packet)
        for packet in packets:
            _mux(file, packet, move)
    return path


def _mux(file: Any, packet: Any, move: Callable[[float], float | None]) -> None:
    stamp = packet.pts if packet.dts is None else packet.dts
    old = float((stamp or 0) * packet.time_base)
    if (new := move(old)) is None:
        return
    shift = round((new - old) / packet.time_base)
    if packet.pts is not None:
        packet.pts += shift
    if packet.dts is not None:
        packet.dts += shift
    file.mux(packet)


def film(
    path: Path,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    shown: Iterator[np.ndarray] | None = None,
    *,
    sound: str = "pcm_s16le",
    rate: Any = 25,
    size: tuple[int, int] = SIZE,
    times: list[float] | None = None,
    container: str | None = None,
    options: dict[str, str] | None = None,
    muxer: dict[str, str] | None = None,
    convert: Callable[[np.ndarray], Any] | None = None,
    tracks: tuple[np.ndarray, ...] | None = None,
    default: int | None = None,
    picture_move: Callable[[float], float | None] = lambda time: time,
    sound_move: Callable[[float], float | None] = lambda time: time,
    bit_rate: int | None = None,
    **context: Any,
) -> Path:
    """Pictures, at `times` if these are given, and sound."""
    packets: list[tuple[Any, Callable[[float], float | None]]] = []
    with ExitStack() as held:
        file = held.enter_context(av.open(str(path), "w", format=container, options=muxer or {}))
        stream: Any = file.add_stream(codec, rate=rate, options=options or {})
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for name, value in context.items():
            setattr(stream.codec_context, name, value)
        sounds = []
        for index, samples in enumerate(tracks or ((beep(),) if sound else ())):
            layout = "mono" if samples.ndim == 1 else "stereo"
            audio: Any = file.add_stream(sound, rate=RATE, layout=layout)
            if default is not None:
                kind = av.stream.Disposition
                audio.disposition = kind.default if index == default else kind(0)
            if bit_rate:
                audio.codec_context.bit_rate = bit_rate
            audio.codec_context.open()
            sounds.append((audio, samples, layout))
        for index, picture in enumerate(shown or pictures(size=size)):
            frame = convert(picture) if convert else av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts = index if times is None else round(1000 * times[index])
            frame.time_base = 1 / Fraction(rate) if times is None else Fraction(1, 1000)
            packets += [(packet, picture_move) for packet in stream.encode(frame)]
        packets += [(packet, picture_move) for packet in stream.encode(None)]
        for audio, samples, layout in sounds:
            made = sound_frames(samples, audio, RATE, layout)
            packets += [(packet, sound_move) for frame in made for packet in audio.encode(frame)]
            packets += [(packet, sound_move) for packet in audio.encode(None)]
        for packet, move in sorted(packets, key=lambda pair: float((pair[0].dts or 0) * pair[0].time_base)):
            _mux(file, packet, move)
    return path


def wave(path: Path, samples: np.ndarray, rate: int = 16000, kind: str = "<i2", length: int | None = None) -> Path:
    """A plain WAV without a channel mask, whose header tells any `length`; samples [N, channels] of a numpy kind."""
    form, content = 3 if "f" in kind else 1, samples.astype(kind).tobytes()
    width, channels = np.dtype(kind).itemsize, samples.shape[1]
    told = len(content) if length is None else length
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", min(36 + told, 2**32 - 1), b"WAVE", b"fmt ", 16, form, channels,
                       rate, rate * channels * width, channels * width, 8 * width)  # fmt: skip
    path.write_bytes(head + struct.pack("<4sI", b"data", told) + content)
    return path


def turned(path: Path, *matrix: int) -> Path:
    """An mp4 whose picture has the display matrix a, b, c, d."""
    content = bytearray(film(path, sound="aac").read_bytes())
    place = content.find(b"tkhd") + 44
    a, b, c, d = (value << 16 for value in matrix)
    content[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    return path


def edited(path: Path, seconds: float) -> Path:
    """An mp4 whose edit lists leave out so much of its beginning, as a cut without encoding anew does."""
    content = bytearray(film(path, sound="aac", options={"bf": "0"}).read_bytes())
    place, scales = 0, []
    while (place := content.find(b"mdhd", place + 1)) > 0:
        scales.append(struct.unpack(">I", content[place + 16 : place + 20])[0])
    for scale in scales:
        place = content.find(b"elst", place + 1)
        old = struct.unpack(">i", content[place + 16 : place + 20])[0]
        content[place + 16 : place + 20] = struct.pack(">i", old + round(seconds * scale))
    path.write_bytes(content)
    return path


def patched(path: Path, *changes: tuple[bytes, bytes]) -> Path:
    """Bytes replaced by others of the same length."""
    content = path.read_bytes()
    for old, new in changes:
        assert old in content and len(old) == len(new)
        content = content.replace(old, new)
    path.write_bytes(content)
    return path


def cut_off(path: Path, share: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    return path
