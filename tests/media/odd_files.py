"""Films and recordings as people really have them, made with PyAV: any times, any tracks."""

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

RATE = 48000


def beep(seconds: float, at: float, length: float = 0.2) -> np.ndarray:
    """float32 [N] at `RATE`: silence, and from `at` on a tone."""
    samples = np.zeros(round(seconds * RATE), np.float32)
    first, last = round(at * RATE), round((at + length) * RATE)
    samples[first:last] = 0.5 * np.sin(0.05 * np.arange(last - first))
    return samples


def film(
    path: Path,
    *,
    sounds: tuple[np.ndarray, ...] = (),
    flash: float | None = None,
    seconds: float = 6.0,
    picture_time: Callable[[float], float | None] = lambda time: time,
    sound_time: Callable[[float], float | None] = lambda time: time,
    default: int | None = None,
    codecs: tuple[str, str] = ("libx264", "pcm_s16le"),
    size: tuple[int, int] = (64, 48),
    move_decoding: bool = True,
) -> Path:
    """A dark film that is bright for 0.2 s from `flash` on, with these sound tracks (float32 [N] or [N, channels]).

    The times of pictures and sound are what the functions make of them; None leaves that part out.
    """
    packets = []
    with av.open(str(path), "w") as container:
        streams = []
        if flash is not None:
            video = container.add_stream(codecs[0], rate=25)
            video.width, video.height, video.pix_fmt = *size, "yuv420p"
            if codecs[0] == "libx264":
                video.options = {"g": "25", "bf": "2"}
            streams.append(video)
        for index, samples in enumerate(sounds):
            audio = container.add_stream(codecs[1], rate=RATE, layout="mono" if samples.ndim == 1 else "stereo")
            if default is not None:
                kind = av.stream.Disposition
                audio.disposition = kind.default if index == default else kind(0)
            streams.append(audio)
        if flash is not None:
            for index in range(round(seconds * 25)):
                level = 235 if flash <= index / 25 < flash + 0.2 else 20
                frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), level, np.uint8), "rgb24")
                frame.pts, frame.time_base = index, Fraction(1, 25)
                packets += [(picture_time, packet) for packet in video.encode(frame)]
            packets += [(picture_time, packet) for packet in video.encode()]
        for stream, samples in zip(streams[flash is not None :], sounds, strict=True):
            step = RATE // 50
            for start in range(0, len(samples), step):
                part = samples[start : start + step]
                layout = "mono" if samples.ndim == 1 else "stereo"
                block = av.AudioFrame.from_ndarray(np.ascontiguousarray(part).reshape(1, -1), "flt", layout)
                block.sample_rate, block.pts, block.time_base = RATE, start, Fraction(1, RATE)
                if stream.codec_context.format.name != "flt":
                    block = av.AudioResampler(stream.codec_context.format.name, layout, RATE).resample(block)[0]
                    block.pts = start
                packets += [(sound_time, packet) for packet in stream.encode(block)]
            packets += [(sound_time, packet) for packet in stream.encode()]
        order = sorted(range(len(packets)), key=lambda i: (float(packets[i][1].dts * packets[i][1].time_base), i))
        for place in order:
            move, packet = packets[place]
            old = float(packet.pts * packet.time_base)
            new = move(old)
            if new is not None:
                shift = round((new - old) / packet.time_base)
                packet.pts += shift
                packet.dts += shift * move_decoding
                container.mux(packet)
    return path


def write_wave(path: Path, samples: np.ndarray, kind: str = "h", rate: int = 16000) -> Path:
    """A plain WAV without a channel mask: samples [N, channels] as int16 ("h") or float32 ("f")."""
    form, size = (1, 2) if kind == "h" else (3, 4)
    content = samples.astype(f"<{'i2' if kind == 'h' else 'f4'}").tobytes()
    channels = samples.shape[1]
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36 + len(content), b"WAVE", b"fmt ", 16, form, channels, rate,
                       rate * channels * size, channels * size, 8 * size)  # fmt: skip
    path.write_bytes(head + struct.pack("<4sI", b"data", len(content)) + content)
    return path


def set_matrix(path: Path, target: Path, *matrix: int) -> Path:
    """A copy of an mp4 whose picture has the display matrix a, b, c, d."""
    content = bytearray(path.read_bytes())
    place = content.find(b"tkhd") + 44
    a, b, c, d = (value << 16 for value in matrix)
    content[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    target.write_bytes(content)
    return target
