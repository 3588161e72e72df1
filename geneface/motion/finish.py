"""The last step of motion: silence closes the mouth, lips that touch are pressed, eyes blink, the head moves."""

from dataclasses import dataclass, field

import torch

from geneface.motion.blink import blink_curve
from geneface.motion.face_motion import FaceMotion, Person
from geneface.motion.head import HeadMotion
from geneface.motion.hearing import LOOKAHEAD, listen
from geneface.motion.lips import press_lips
from geneface.motion.silence import SpeechGate
from geneface.options import GenerationOptions, blinks_a_minute
from geneface.streaming.audio import AudioStream
from geneface.streaming.stage import join
from geneface.units import SAMPLES_PER_FRAME


@dataclass
class FinishState:
    """What a `FinishStage` remembers."""

    waiting: torch.Tensor | None = None
    """[n, 68, 3]: motion whose sound has not arrived far enough yet."""
    done: int = 0
    """Frames that have come out."""
    gate: SpeechGate = field(default_factory=SpeechGate)


class FinishStage:
    """LM3D of the person [n, 68, 3] -> `FaceMotion`.

    Args:
        audio: The sound that is spoken; it is read a little ahead of the motion, as it arrives.
        options: How it is spoken; the seed is that of blinks and head motion, which belong to absolute frame numbers.
        device: Where the motion goes; poses are computed on the CPU.
    """

    lookahead_frames = LOOKAHEAD

    def __init__(self, person: Person, audio: AudioStream, options: GenerationOptions, device: torch.device):
        self.person, self.audio, self.options, self.device = person, audio, options, device
        self.seed = options.seed or 0
        self.head = HeadMotion(person, options.pose, self.seed, options.head)
        self.state = FinishState()

    def push(self, lm3d: torch.Tensor) -> FaceMotion | None:
        state = self.state
        state.waiting = lm3d if state.waiting is None else join([state.waiting, lm3d])
        count = len(state.waiting)
        if not self.audio.ended:
            count = min(count, self.audio.available // SAMPLES_PER_FRAME - LOOKAHEAD - state.done)
        return self._finish(count) if count > 0 else None

    def flush(self) -> FaceMotion | None:
        waiting = self.state.waiting
        rest = None if waiting is None or not len(waiting) else self._finish(len(waiting))
        self.state = FinishState()
        return rest

    def _finish(self, count: int) -> FaceMotion:
        state, person, options = self.state, self.person, self.options
        assert state.waiting is not None
        lm3d, state.waiting = state.waiting[:count].float(), state.waiting[count:]
        start, stop = state.done, state.done + count
        state.done = stop
        rest, usual, mean, closed = (
            part.to(lm3d) for part in (person.rest, person.usual, person.mean_landmarks, person.blink)
        )
        speaking = torch.tensor([state.gate.push(listen(self.audio, frame)) for frame in range(start, stop)]).to(lm3d)
        lm3d = rest + (lm3d - rest) * (options.mouth * speaking)[:, None, None]
        eyes = torch.from_numpy(blink_curve(self.seed, start, stop, blinks_a_minute(options.blink))).to(lm3d)
        lm3d = press_lips(lm3d + eyes[:, None, None] * closed, rest, usual, mean)
        return FaceMotion(lm3d, self.head.poses(start, stop).to(self.device), eyes)
