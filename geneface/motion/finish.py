"""The last step of motion: silence closes the mouth, lips that touch are pressed, eyes blink, head and brows move."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from geneface.face.ibug68 import BROWS
from geneface.motion.blink import blink_curve
from geneface.motion.face_motion import FaceMotion, Person
from geneface.motion.gestures import BROW_SHARES, Gestures
from geneface.motion.head import HeadMotion
from geneface.motion.hearing import LOOKAHEAD, listen
from geneface.motion.lips import press_lips, spread_closures
from geneface.motion.silence import AHEAD, SpeechGate
from geneface.options import GenerationOptions, blinks_a_minute
from geneface.streaming.audio import AudioStream
from geneface.streaming.stage import join
from geneface.utils.units import SAMPLES_PER_FRAME

SOUND_AHEAD = AHEAD + LOOKAHEAD
"""Frames of sound after a frame without which it is not finished."""


@dataclass
class FinishState:
    """What a `FinishStage` remembers."""

    head: HeadMotion
    gestures: Gestures
    gate: SpeechGate = field(default_factory=SpeechGate)
    waiting: torch.Tensor | None = None
    """[n, 68, 3]: motion whose sound has not arrived far enough yet."""
    done: int = 0
    """Frames that have come out."""
    heard: int = 0
    """Frames of sound that have been listened to."""


class FinishStage:
    """LM3D of the person [n, 68, 3] -> `FaceMotion`.

    Args:
        audio: The sound that is spoken; it is read a little ahead of the motion, as it arrives.
        options: How it is spoken; the seed is that of blinks, head motion and gestures.
        device: Where the motion goes; poses are computed on the CPU.
        closures: Gives how surely the lips must meet in frames [start, stop), [n] of 0 to 1.
    """

    lookahead_frames = 0
    """Of motion; sound is heard `SOUND_AHEAD` frames ahead, which features and motion have been made from anyway."""

    def __init__(
        self,
        person: Person,
        audio: AudioStream,
        options: GenerationOptions,
        device: torch.device,
        closures: Callable[[int, int], torch.Tensor] | None = None,
    ):
        self.person, self.audio, self.options, self.device = person, audio, options, device
        self.closures = closures
        self.seed = options.seed or 0
        self.state = self._begin()

    def push(self, lm3d: torch.Tensor) -> FaceMotion | None:
        state = self.state
        state.waiting = lm3d if state.waiting is None else join([state.waiting, lm3d])
        count = len(state.waiting)
        if not self.audio.ended:
            count = min(count, self.audio.available // SAMPLES_PER_FRAME - SOUND_AHEAD - state.done)
        return self._finish(count) if count > 0 else None

    def flush(self) -> FaceMotion | None:
        waiting = self.state.waiting
        rest = None if waiting is None or not len(waiting) else self._finish(len(waiting))
        self.state = self._begin()
        return rest

    def _begin(self) -> FinishState:
        options = self.options
        head = HeadMotion(self.person, options.pose, self.seed, options.head)
        return FinishState(head, Gestures(self.seed))

    def _finish(self, count: int) -> FaceMotion:
        state, person, options = self.state, self.person, self.options
        assert state.waiting is not None
        lm3d, state.waiting = state.waiting[:count].float(), state.waiting[count:]
        start, stop = state.done, state.done + count
        state.done = stop
        rest, usual, mean, closed = (
            part.to(lm3d) for part in (person.rest, person.usual, person.mean_landmarks, person.blink)
        )
        openness, rises, head = self._hear(stop)
        lm3d = rest + (lm3d - rest) * (options.mouth * openness.to(lm3d))[:, None, None]
        eyes = torch.from_numpy(blink_curve(self.seed, start, stop, blinks_a_minute(options.blink))).to(lm3d)
        meet = None if self.closures is None else spread_closures(self.closures(start - 1, stop + 1)).to(lm3d)
        lm3d = press_lips(lm3d + eyes[:, None, None] * closed, rest, usual, mean, meet)
        lm3d[:, BROWS, 1] += rises.to(lm3d)[:, None] * torch.tensor(BROW_SHARES).to(lm3d)
        return FaceMotion(lm3d, head.to(self.device), eyes)

    def _hear(self, stop: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What the sound makes of the next frames up to `stop`: the share of their motion that mouths keep [n], how
        far the brows rise [n] in cm, head poses [n, 3, 4]."""
        state = self.state
        heard = listen(self.audio, state.heard, stop + AHEAD)
        first, state.heard = state.heard - AHEAD, stop + AHEAD
        openness, nods, rises = [], [], []
        for each in heard:
            openness.append(state.gate.push(each))
            nod, rise = state.gestures.push(each, state.gate.heard_speech)
            nods.append(nod)
            # Less expressive speech is calmer here, too; more than natural would leave what a renderer knows.
            rises.append(min(self.options.temperature, 1.0) * rise)
        # The first frames of all are only listened to.
        new = slice(max(0, -first), None)
        speaking = [share > 0 for share in openness[new]]
        head = state.head.push(heard[new], speaking, nods[new])
        return torch.tensor(openness[new]), torch.tensor(rises[new]), head
