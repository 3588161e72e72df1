"""The files, and what must come of each."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.odd_media.making import (
    RATE,
    SKIN,
    beep,
    cut_off,
    edited,
    film,
    patched,
    pictures,
    recording,
    turned,
    wave,
)

BEEP = r"2\.\d\d s, beep at (0\.99|1\.0[0-6]) s"
FILM = r"96x64, [12]\.\d\d s, flash at (0\.9[5-9]|1\.0[0-6]) s, colour off by \d"
NO_PICTURES, NO_SOUND = "refused: it has no video track", "refused: it has no sound"
UNKNOWN = "refused: it cannot be read"


@dataclass(frozen=True)
class Odd:
    """A file: what it is, how it is made at a path, and what must come of it (regular expressions)."""

    name: str
    suffix: str
    make: Callable[[Path], Any]
    recording: str = BEEP
    film: str = FILM
    told: str = ""
    """What a note must say."""


def heard(name: str, suffix: str, *args: Any, told: str = "", expected: str = BEEP, **options: Any) -> Odd:
    """Sound alone, by `recording`."""
    return Odd(name, suffix, lambda path: recording(path, *args, **options), expected, NO_PICTURES, told)


def seen(
    name: str, suffix: str, *args: Any, told: str = "", expected: str = FILM, heard: str = BEEP, **options: Any
) -> Odd:
    """A film, by `film`."""
    return Odd(name, suffix, lambda path: film(path, *args, **options), heard, expected, told)


def many(channels: int, voice: int) -> np.ndarray:
    """Sound in one of many channels."""
    samples = np.zeros((RATE * 2 // 3, channels), np.float32)
    samples[:, voice] = beep(rate=16000)
    return samples


def stereo(right: float) -> np.ndarray:
    return np.stack([beep(), right * beep()], 1)


def hole(first: float, last: float) -> Callable[[float], float | None]:
    return lambda time: None if first <= time < last else time


def later(at: float, seconds: float) -> Callable[[float], float | None]:
    return lambda time: time + seconds * (time >= at)


def written(content: bytes | str) -> Callable[[Path], Any]:
    return lambda path: path.write_bytes(content if isinstance(content, bytes) else content.encode())


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "words " * 1000)
    return buffer.getvalue()


def floats(scale: float) -> Callable[[Path], Any]:
    return lambda path: wave(path, scale * beep(rate=16000)[:, None], kind="<f4")


def not_finite(path: Path) -> Path:
    samples = beep(rate=16000)[:, None].copy()
    samples[100] = np.nan
    return wave(path, samples, kind="<f4")


def plain(samples: np.ndarray, length: int | None = None) -> Callable[[Path], Any]:
    return lambda path: wave(path, samples, length=length)


def shorts(seconds: float = 2.0) -> np.ndarray:
    return (beep(seconds, 16000)[:, None] * 32767).astype("<i2")


SOUNDS = (
    heard("8 kHz, 16 bits", "wav", "pcm_s16le", rate=8000),
    heard("11025 Hz, unsigned 8 bits", "wav", "pcm_u8", rate=11025),
    heard("44.1 kHz, 24 bits", "wav", "pcm_s24le", rate=44100),
    heard("192 kHz, 32 bits", "wav", "pcm_s32le", rate=192000),
    heard("384 kHz, 64-bit floats", "wav", "pcm_f64le", rate=384000),
    Odd("floats to 4 times full scale", "wav", floats(8), BEEP, NO_PICTURES),
    Odd("floats to 14000", "wav", floats(28000), "refused", NO_PICTURES),
    Odd("floats with a NaN", "wav", not_finite, "refused", NO_PICTURES),
    heard("mu-law, 8 kHz", "wav", "pcm_mulaw", rate=8000),
    heard("A-law, 8 kHz", "wav", "pcm_alaw", rate=8000),
    heard("IMA ADPCM, 22050 Hz", "wav", "adpcm_ima_wav", rate=22050),
    heard("Microsoft ADPCM", "wav", "adpcm_ms", rate=22050),
    heard("AIFF, 24 bits", "aiff", "pcm_s24be"),
    heard("Apple Lossless in CAF", "caf", "alac"),
    heard("Sun mu-law", "au", "pcm_mulaw", rate=8000),
    heard("Wave64", "w64", "pcm_s16le"),
    heard("FLAC, 24 bits, 96 kHz", "flac", "flac", rate=96000, sample_format="s32"),
    heard("WavPack", "wv", "wavpack"),
    heard("True Audio", "tta", "tta"),
    heard("MP3", "mp3", "libmp3lame", rate=44100),
    heard("MP3 with a cover picture", "mp3", "libmp3lame", rate=44100, cover=True),
    heard("MPEG layer 2", "mp2", "mp2"),
    heard("AAC in m4a", "m4a", "aac"),
    heard("AAC in m4a with a cover picture", "m4a", "aac", cover=True, container="mp4"),
    heard("Opus in Ogg", "ogg", "libopus"),
    heard("Opus in WebM, as browsers record", "webm", "libopus"),
    heard("Windows Media", "wma", "wmav2", rate=44100, bit_rate=128000, expected=BEEP.replace("0\\.99", "0\\.9[4-9]")),
    heard("AC-3 5.1", "ac3", "ac3", layout="5.1"),
    heard("E-AC-3 5.1", "eac3", "eac3", layout="5.1"),
    heard("AMR, 8 kHz", "amr", "libopencore_amrnb", rate=8000),
    heard("7.1", "wav", "pcm_s16le", layout="7.1"),
    heard("quadrophonic", "flac", "flac", layout="quad"),
    heard("one silent channel", "wav", "pcm_s16le", stereo(0), layout="stereo"),
    heard("one channel inverted", "flac", "flac", stereo(-1), layout="stereo"),
    Odd("voice in one of 12 channels", "wav", plain(many(12, 11) * 32767), BEEP, NO_PICTURES),
    Odd("voice in one of 32 channels", "wav", plain(many(32, 3) * 32767), BEEP, NO_PICTURES),
    heard("half a second missing", "mka", "pcm_s16le", move=hole(0.2, 0.7), told="missing"),
    heard("12 s missing, sound alone", "mka", "libopus", move=later(0.5, 12), told="jump",
          expected=r"2\.\d\d s, beep at (0\.9[5-9]|1\.0\d) s"),
    heard("starts at 1000 s", "mka", "pcm_s16le", move=lambda time: time + 1000),
    heard("MPEG-TS that starts anywhere", "ts", "aac", move=lambda time: time + 95000),
    heard("ten minutes", "flac", "flac", beep(600, 8000), 8000, expected=r"600\.00 s, beep at 1\.00 s"),
    Odd("header says length 0", "wav", plain(shorts(), 0), BEEP, NO_PICTURES),
    Odd("header says length 4294967295", "wav", plain(shorts(), 2**32 - 1), BEEP, NO_PICTURES),
    Odd("header says three times its length", "wav", plain(shorts(), 192000), BEEP, NO_PICTURES),
    Odd("cut off in the middle", "wav", lambda path: cut_off(plain(shorts(4))(path), 0.5), BEEP, NO_PICTURES),
    Odd("MP3 cut off", "mp3", lambda path: cut_off(recording(path, "libmp3lame", beep(4, 44100), 44100), 0.5),
        r"[12]\.\d\d s, beep at 1\.0", NO_PICTURES),
    Odd("m4a without its index", "m4a", lambda path: cut_off(recording(path, "aac"), 0.6), UNKNOWN, UNKNOWN),
    Odd("no samples", "wav", plain(np.zeros((0, 1), "<i2")), "refused: it has no sound", NO_PICTURES),
    Odd("three samples", "wav", plain(np.zeros((3, 1), "<i2")), "refused: it is 0.000 s long", NO_PICTURES),
    Odd("empty", "wav", written(b""), "refused: it is empty", "refused: it is empty"),
    Odd("words, called .wav", "wav", written("Dear diary, " * 500), UNKNOWN, UNKNOWN),
    Odd("an archive, called .mp3", "mp3", written(zipped()), "refused", "refused"),
    Odd("random bytes, called .m4a", "m4a", written(np.random.default_rng(0).bytes(9000)), "refused", "refused"),
    Odd("a playlist", "m3u8", written("#EXTM3U\n#EXTINF:2,\nhttp://example.org/a.ts\n#EXT-X-ENDLIST\n"), UNKNOWN,
        UNKNOWN),
    Odd("a page, called .mp4", "mp4", written("<!doctype html><html><body>404</body></html>" * 20), UNKNOWN, UNKNOWN),
)  # fmt: skip


def to(pix_fmt: str, **colour: Any) -> Callable[[np.ndarray], Any]:
    """A picture in a pixel format, with BT.601's or another matrix and range."""

    def convert(picture: np.ndarray) -> Any:
        alpha = np.full((*picture.shape[:2], 1), 255, np.uint8)
        frame = av.VideoFrame.from_ndarray(np.concatenate([picture, alpha], 2), "rgba")
        return frame.reformat(format=pix_fmt, **colour)

    return convert


def combed(picture: np.ndarray) -> None:
    """Moves the lines of one half picture to the side, as in film of a moving thing."""
    shift = combed.moved = (getattr(combed, "moved", 0) + 3) % 40
    picture[:, 10 + shift : 40 + shift] = 60
    picture[1::2, 10 + shift : 40 + shift] = SKIN
    picture[1::2, 22 + shift : 52 + shift] = 60


def stills(path: Path, codec: str, container: str, pix_fmt: str) -> Path:
    """An animated picture."""
    return film(path, codec, pix_fmt, sound="", container=container, rate=10, shown=pictures(20, 10),
                convert=to(pix_fmt) if pix_fmt not in ("rgb8",) else None)  # fmt: skip


def cover_first(path: Path) -> Path:
    """A still picture, flagged as a cover, as the first track before the film."""
    made = film(path.with_suffix(".film.mkv"))
    with av.open(str(made)) as given, av.open(str(path), "w") as file:
        still: Any = file.add_stream("mjpeg", rate=1)
        still.width, still.height, still.pix_fmt = 200, 200, "yuvj420p"
        still.disposition = av.stream.Disposition.attached_pic
        copies = {stream.index: file.add_stream_from_template(stream) for stream in given.streams}
        grey = av.VideoFrame.from_ndarray(np.full((200, 200, 3), 90, np.uint8), "rgb24")
        for packet in (*still.encode(grey), *still.encode(None)):
            file.mux(packet)
        for packet in given.demux():
            if packet.size:
                packet.stream = copies[packet.stream.index]
                file.mux(packet)
    made.unlink()
    return path


def joined(path: Path) -> Path:
    """Two transport streams one behind the other; only the first has the beep."""
    one = film(path.with_suffix(".one.ts"), sound="aac").read_bytes()
    quiet = film(path.with_suffix(".two.ts"), sound="aac", tracks=(1e-3 * beep(),),
                 shown=(np.full((64, 96, 3), SKIN, np.uint8) for _ in range(50))).read_bytes()  # fmt: skip
    path.write_bytes(one + quiet)
    return path


def dolby_vision_5(path: Path) -> Path:
    """HEVC of 10 bits without colour tags, under the name that mp4 has for Dolby Vision."""
    made = film(path, "libx265", "yuv420p10le", sound="aac", options={"x265-params": "log-level=none"})
    content = made.read_bytes()
    return patched(path, (b"hev1" if b"hev1" in content else b"hvc1", b"dvh1"))


def tagged(primaries: int, curve: int, matrix: int, full: bool = False) -> dict[str, Any]:
    return {"color_primaries": primaries, "color_trc": curve, "colorspace": matrix, "color_range": 2 if full else 1}


QUIET = {"x265-params": "log-level=none"}
FULL = to("yuvj420p", dst_color_range="JPEG", src_color_range="JPEG")
TWO = (1e-6 * beep(), beep())

FILMS = (
    seen("H.264 and AAC", "mp4", sound="aac"),
    seen("fragmented, as recorders write", "mp4", sound="aac", muxer={"movflags": "frag_keyframe+empty_moov"},
         heard=r"2\.\d\d s, beep at 1\.0\d s", expected=FILM.replace("1\\.0[0-6]", "1\\.0\\d")),
    seen("H.264, 10 bits", "mkv", pix_fmt="yuv420p10le"),
    seen("H.264, 4:2:2", "mkv", pix_fmt="yuv422p"),
    seen("H.264, 4:4:4", "mkv", pix_fmt="yuv444p"),
    seen("H.264, grey", "mkv", pix_fmt="gray", expected=r"96x64, 2\.00 s, flash at 1\.00 s, colour off by \d\d"),
    seen("H.264, full range", "mp4", pix_fmt="yuvj420p", sound="aac", convert=FULL),
    seen("HEVC, 12 bits, 4:4:4", "mkv", "libx265", "yuv444p12le", options=QUIET),
    seen("HEVC, 10 bits, 4:2:2", "mp4", "libx265", "yuv422p10le", options=QUIET, sound="aac"),
    seen("AV1 and Opus", "webm", "libsvtav1", options={"preset": "12"}, sound="libopus"),
    seen("VP9 with alpha", "webm", "libvpx-vp9", "yuva420p", sound="libopus", convert=to("yuva420p")),
    seen("VP8 and Opus", "webm", "libvpx", sound="libopus"),
    seen("ProRes 422, 10 bits", "mov", "prores_ks", "yuv422p10le"),
    seen("ProRes 4444 with alpha", "mov", "prores_ks", "yuva444p10le", convert=to("yuva444p10le")),
    seen("QuickTime Animation with alpha", "mov", "qtrle", "argb", convert=to("argb")),
    seen("FFV1, RGB with alpha", "mkv", "ffv1", "bgra", convert=to("bgra")),
    seen("FFV1, 16 bits, 4:4:4", "mkv", "ffv1", "yuv444p16le"),
    seen("HuffYUV, RGB", "avi", "huffyuv", "rgb24"),
    seen("Motion JPEG and MP3", "avi", "mjpeg", "yuvj420p", sound="libmp3lame"),
    seen("uncompressed", "avi", "rawvideo", "yuv420p"),
    seen("DNxHR", "mxf", "dnxhd", "yuv422p", options={"profile": "dnxhr_lb"}, size=(256, 128),
         expected=FILM.replace("96x64", "256x128")),
    seen("MPEG-2 in a transport stream", "ts", "mpeg2video", sound="mp2"),
    seen("MPEG-2 programme stream", "mpg", "mpeg2video", sound="mp2"),
    seen("MPEG-4 and AMR in 3GP", "3gp", "mpeg4", sound="aac"),
    seen("H.263", "mov", "h263", size=(176, 144), rate=Fraction(30000, 1001), shown=pictures(60, 29.97, (176, 144)),
         expected=r"(176|18\d|19\d)x144, 2\.\d\d s, flash at (0\.9[5-9]|1\.0[0-6]) s, colour off by \d"),
    seen("Windows Media", "wmv", "wmv2", sound="wmav2", bit_rate=128000,
         heard=r"1\.9\d s, beep at 0\.9[4-9]"),
    seen("Flash video", "flv", "flv", sound="libmp3lame", tracks=(beep(),)),
    seen("DV", "dv", "dvvideo", size=(720, 576), tracks=(stereo(1),),
         expected=r"7\d\dx576, .*flash at (0\.9[5-9]|1\.0[0-6]) s, colour off by \d"),
    seen("NUT", "nut", "mpeg4"),
    Odd("turned by 90 degrees", "mp4", lambda path: turned(path, 0, 1, -1, 0), BEEP, FILM.replace("96x64", "64x96")),
    Odd("turned by 180 degrees", "mp4", lambda path: turned(path, -1, 0, 0, -1)),
    Odd("turned by 270 degrees", "mp4", lambda path: turned(path, 0, -1, 1, 0), BEEP, FILM.replace("96x64", "64x96")),
    Odd("mirrored", "mp4", lambda path: turned(path, -1, 0, 0, 1)),
    seen("oblong pixels", "mkv", sample_aspect_ratio=Fraction(4, 3), expected=FILM.replace("96x64", "128x64")),
    seen("odd size", "mkv", pix_fmt="yuv444p", size=(97, 65), expected=FILM.replace("96x64", "97x65")),
    seen("of 16 pixels", "mkv", size=(16, 16), expected=FILM.replace("96x64", "16x16")),
    seen("29.97 frames/s", "mp4", rate=Fraction(30000, 1001), sound="aac", shown=pictures(60, 29.97)),
    seen("120 frames/s", "mp4", rate=120, sound="aac", shown=pictures(240, 120)),
    seen("5 frames/s", "mp4", rate=5, sound="aac", shown=pictures(10, 5)),
    seen("variable frame rate", "mkv", shown=pictures(50),
         times=[index / 25 + 0.018 * (index % 3) for index in range(50)]),
    seen("frames that come doubly dense from 1 s on", "mkv", shown=pictures(50),
         times=[min(index, 25) / 25 + max(index - 25, 0) / 50 for index in range(50)]),
    seen("one picture", "mp4", shown=pictures(1), sound="aac", expected=r"96x64, 0\.04 s, colour off by \d"),
    seen("sound starts half a second late", "mkv", sound_move=lambda time: time + 0.5,
         heard=BEEP, expected=FILM.replace("flash at (0\\.9[5-9]|1\\.0[0-6])", "flash at 0\\.[45]\\d")),
    seen("pictures start half a second late", "mkv", picture_move=lambda time: time + 0.5,
         expected=FILM.replace("flash at (0\\.9[5-9]|1\\.0[0-6])", "flash at 1\\.[45]\\d")),
    seen("both start at an hour", "ts", sound="aac", picture_move=lambda time: time + 3600,
         sound_move=lambda time: time + 3600),
    seen("times before 0", "mkv", picture_move=lambda time: time - 0.5, sound_move=lambda time: time - 0.5,
         muxer={"avoid_negative_ts": "disabled"}),
    seen("half a second of sound missing", "mkv", sound_move=hole(0.2, 0.7), told=""),
    seen("both jump by 5 hours", "mkv", options={"bf": "0"}, picture_move=later(0.5, 18000),
         sound_move=later(0.5, 18000), told="jump"),
    seen("pictures alone jump by 5 hours", "mkv", options={"bf": "0"}, picture_move=later(0.5, 18000), told="jump"),
    Odd("two transport streams joined by cat", "ts", joined, r"[34]\.\d\d s, beep at (0\.9[5-9]|1\.0\d) s",
        r"96x64, [34]\.\d\d s, flash at (0\.9[5-9]|1\.0[0-6]) s", "jump"),
    Odd("cut to 1.5 s by its edit lists", "mp4", lambda path: edited(path, 0.5), r"1\.5\d s, beep at 0\.[45]\d s",
        r"96x64, 1\.[45]\d s, flash at 0\.[45]\d s"),
    Odd("a cover picture before the film", "mkv", cover_first),
    seen("first sound track silent, second the default", "mkv", tracks=TWO, default=1),
    seen("default sound track silent", "mkv", tracks=TWO, default=0, heard=r"2\.\d\d s, silence", told=""),
    seen("no sound", "mp4", sound="", heard="refused: it has no audio track"),
    seen("HDR, HLG", "mp4", "libx265", "yuv420p10le", options=QUIET, sound="aac", **tagged(9, 18, 9), told="HDR",
         expected=r"96x64, 2\.00 s"),
    seen("HDR, PQ", "mkv", "libx265", "yuv420p10le", options=QUIET, **tagged(9, 16, 9), told="HDR",
         expected=r"96x64, 2\.00 s"),
    Odd("Dolby Vision, profile 5", "mp4", dolby_vision_5, BEEP, "refused: .*Dolby Vision"),
    seen("HD without colour tags", "mkv", size=(1280, 720), convert=to("yuv420p", dst_colorspace="ITU709"),
         shown=pictures(50, size=(1280, 720)), expected=FILM.replace("96x64", "1280x720")),
    seen("interlaced, marked", "mkv", "mpeg2video", options={"flags": "+ilme+ildct"}, shown=pictures(first=combed),
         field_order=2, told="interlaced", expected=r"96x64, 2\.00 s"),
    seen("interlaced, marked as progressive", "mkv", options={"crf": "12"}, shown=pictures(first=combed),
         told="combs", expected=r"96x64, 2\.00 s"),
    Odd("mp4 without its index", "mp4", lambda path: cut_off(film(path, sound="aac"), 0.7), UNKNOWN, UNKNOWN),
    Odd("Matroska cut off", "mkv", lambda path: cut_off(film(path, shown=pictures(100), tracks=(beep(4),)), 0.6),
        r"[123]\.\d\d s, beep", r"96x64, [123]\.\d\d s, flash"),
    Odd("animated GIF", "gif", lambda path: stills(path, "gif", "gif", "rgb8"), "refused", "refused"),
    Odd("animated WebP", "webp", lambda path: stills(path, "libwebp_anim", "webp", "yuv420p"), "refused", "refused"),
    Odd("animated PNG", "png", lambda path: stills(path, "apng", "apng", "rgba"), "refused", "refused"),
)  # fmt: skip

FILES = {f"{odd.name} ({odd.suffix})": odd for odd in (*SOUNDS, *FILMS)}
