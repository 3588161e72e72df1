"""The voice and the mouth as a picture: how loud the recording is, and how far the mouth opens to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geneface.media.audio import AudioSource
from geneface.resources import web
from geneface.utils.units import FPS, SAMPLES_PER_FRAME

if TYPE_CHECKING:
    from geneface.motion.face_motion import FaceMotion
    from geneface.pipelines.pipeline import GeneFacePipeline

COLUMNS = 240
"""Bars of the waveform."""
WIDTH, HEIGHT, MIDDLE = 960, 150, 52
MOUTH_TOP, MOUTH_BOTTOM = 92, 140
WIDEST = 1.2
"""cm: an opening that fills the plot, unless the recording has a wider one."""
SCRIPT = web("playhead.js")
"""Moves a line through the plot with the video that plays."""


@dataclass(frozen=True)
class Voice:
    """What the plot shows; the mouth is None until the motion is known."""

    loudness: np.ndarray
    """[T] root mean square of each frame's samples"""
    mouth: np.ndarray | None
    """[T] cm between the lips"""


def voice_curve(source: AudioSource) -> np.ndarray:
    """[T] root mean square of the samples of each frame."""
    blocks = []
    for first in range(0, source.frames, 60 * FPS):
        last = min(first + 60 * FPS, source.frames)
        samples = source.read(first * SAMPLES_PER_FRAME, last * SAMPLES_PER_FRAME).reshape(-1, SAMPLES_PER_FRAME)
        blocks.append(np.sqrt(np.square(samples).mean(1)))
    return np.concatenate(blocks)


def mouth_curve(pipe: "GeneFacePipeline", motion: Sequence["FaceMotion"]) -> np.ndarray:
    """[T] cm between the lips, from the chunks of `GeneFacePipeline.motion`."""
    from geneface.metrics import lm3d_opening

    moves = np.concatenate([chunk.landmarks.float().cpu().numpy() for chunk in motion])
    return lm3d_opening(moves, pipe.person.mean_landmarks.float().cpu().numpy())


def draw(voice: Voice) -> str:
    """The plot as HTML."""
    seconds = len(voice.loudness) / FPS
    bars = _peaks(voice.loudness, COLUMNS)
    tallest = max(float(bars.max()), 0.05)
    step = WIDTH / len(bars)
    wave = "".join(
        f"M{(index + 0.5) * step:.1f} {MIDDLE - half:.1f}v{2 * half:.1f}"
        for index, half in enumerate(np.maximum(bars / tallest * 40, 0.8))
    )
    text = f"The voice lasts {seconds:.1f} seconds."
    mouth, legend = "", '<span class="gf-key gf-key-later">Mouth: not known yet</span>'
    if voice.mouth is not None:
        curve = _peaks(voice.mouth, WIDTH // 2)
        top = max(WIDEST, float(curve.max()))
        x = np.linspace(0, WIDTH, len(curve))
        y = MOUTH_BOTTOM - curve / top * (MOUTH_BOTTOM - MOUTH_TOP)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        mouth = (
            f'<polygon class="gf-mouth-area" points="0,{MOUTH_BOTTOM} {points} {WIDTH},{MOUTH_BOTTOM}"/>'
            f'<polyline class="gf-mouth-line" points="{points}"/>'
        )
        text += f" The mouth opens up to {voice.mouth.max():.1f} centimetres."
        legend = f'<span class="gf-key gf-key-mouth">Mouth, opening up to {voice.mouth.max():.1f} cm</span>'
    ticks = "".join(
        f'<span style="left:{100 * mark / seconds:.2f}%">{_clock(mark)}</span>' for mark in _marks(seconds)
    )
    return (
        f'<figure class="gf-plot"><figcaption><span class="gf-key gf-key-voice">Voice</span>{legend}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{text}">'
        f'<path class="gf-wave" d="{wave}"/>{mouth}'
        f'<line class="gf-playhead" data-seconds="{seconds}" x1="0" x2="0" y1="4" y2="{HEIGHT - 4}"/></svg>'
        f'<div class="gf-ticks" aria-hidden="true">{ticks}</div></figure>'
    )


def _peaks(values: np.ndarray, most: int) -> np.ndarray:
    """At most `most` values: the largest of each stretch."""
    if len(values) <= most:
        return values
    return np.array([part.max() for part in np.array_split(values, most)])


def _marks(seconds: float) -> list[float]:
    """Round times for at most seven labels."""
    step = next((step for step in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600) if seconds / step <= 7), 1200)
    return [mark for mark in np.arange(0, seconds, step).tolist() if mark <= seconds * 0.97]


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
