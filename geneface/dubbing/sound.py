"""The sound of a dubbed video: the new speech, and under it, if that is wanted, the video's own."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from geneface.media.audio import AudioSource, open_audio

UNDER = 0.18
"""Loudness of the video's own sound under the speech: 15 dB lower, as in a spoken translation of the news."""
FADE = 0.5
"""Seconds in which it ends where the video does, or the speech."""


@contextmanager
def voice_over(speech: AudioSource, video: Path) -> Iterator[AudioSource]:
    """`speech` over the sound of `video`, which is as long as the speech at most.

    What the video says stays audible: nothing here tells voices from other sounds.
    """
    from moviepy import AudioArrayClip, AudioFileClip, CompositeAudioClip, afx

    samples = speech.read_track(0, speech.track_samples).astype(np.float32) / 32768
    seconds = len(samples) / speech.track_rate
    with tempfile.TemporaryDirectory() as folder, AudioFileClip(str(video)) as own:
        under = own.subclipped(0, min(own.duration, seconds))
        under = under.with_effects([afx.MultiplyVolume(UNDER), afx.AudioFadeOut(FADE)])
        stereo = np.repeat(samples, 2, axis=1) if samples.shape[1] == 1 else samples
        mixed = CompositeAudioClip([AudioArrayClip(stereo, fps=speech.track_rate), under])
        path = Path(folder) / "mixed.wav"
        mixed.write_audiofile(str(path), fps=speech.track_rate, codec="pcm_s16le", logger=None)
        with open_audio(path) as source:
            yield source
