"""One law for all stages: the same blocks give the same bits, any other cutting gives the same up to rounding."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tiny import tiny_components

from geneface.media.audio import load_audio
from geneface.models.features import FeatureStage
from geneface.models.log_mel import LogMel
from geneface.models.phoneme_head import BILABIALS, PhonemeHead
from geneface.models.projection import LandmarkProjection
from geneface.models.stages import AdaptStage, LipClosureStage, MotionStage
from geneface.motion.face_motion import FaceMotion
from geneface.motion.finish import FinishStage
from geneface.options import GenerationOptions
from geneface.pipelines.pipeline import GeneFacePipeline
from geneface.renderers.render_stage import RenderStage
from geneface.resources import resource
from geneface.streaming.audio import ArrayStream, LiveStream, NotArrived
from geneface.streaming.stage import Chain, Stage, WindowStage, join, through
from geneface.utils.units import SAMPLES_PER_FRAME

FRAMES = 260
OPTIONS = GenerationOptions(seed=5, blink=30, size=64)
KERNEL = torch.arange(1.0, 8.0)[None, None]


@pytest.fixture(scope="module")
def pipe() -> GeneFacePipeline:
    return GeneFacePipeline(**tiny_components()).to("cpu")


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    rng = np.random.default_rng(0)
    loud = (np.sin(np.arange(FRAMES * SAMPLES_PER_FRAME) / 9000) > -0.2).astype(np.float32)
    return (0.1 * loud * rng.standard_normal(len(loud))).astype(np.float32)


def smooth(window: torch.Tensor, start: int) -> torch.Tensor:
    """Depends on three frames on each side and on the absolute frame number."""
    smoothed = F.conv1d(window[None, None], KERNEL, padding=3)[0, 0]
    return smoothed * (start + torch.arange(len(window))) / 100


Cases = dict[str, tuple[Callable[[], Stage], Any, int]]


@pytest.fixture(scope="module")
def cases(pipe: GeneFacePipeline, samples: np.ndarray) -> Cases:
    """Each stage there is: how to make it, all of its input, and how much of that is a video frame."""
    features = pipe.extract_features(samples, 16000)
    generic = pipe.generate_motion(features, OPTIONS)
    own = pipe.adapt_motion(generic)
    motion = pipe.finish_motion(own, samples, 16000, OPTIONS)
    projection = LandmarkProjection(frames=12).eval()
    projection.frames.normal_(generator=torch.Generator().manual_seed(0))
    sound = ArrayStream(samples)
    return {
        "window": (lambda: WindowStage(smooth, 3, 3, align=4), torch.randn(FRAMES), 1),
        "one_sided_window": (
            lambda: WindowStage(lambda w, _: w.cumsum(0) - w.cumsum(0), 5, 0),
            torch.randn(FRAMES),
            1,
        ),
        "features": (lambda: FeatureStage(pipe.feature_extractor), samples, SAMPLES_PER_FRAME),
        "log_mel": (lambda: FeatureStage(LogMel(8)), samples, SAMPLES_PER_FRAME),
        "closures": (lambda: LipClosureStage(PhonemeHead(16, 8, 3)), features, 2),
        "motion": (lambda: MotionStage(pipe.motion_generator, 5, 1.0), features, 2),
        "adapt": (lambda: AdaptStage(pipe.post_net), generic, 1),
        "project": (lambda: AdaptStage(projection), generic, 1),
        "finish": (lambda: FinishStage(pipe.person, sound, OPTIONS, pipe.device), own, 1),
        "render": (lambda: RenderStage(pipe.renderer, OPTIONS), motion[:30], 1),
    }


NAMES = "window one_sided_window features log_mel closures motion adapt project finish render".split()
CUTTINGS = {"frame by frame": 1, "sevens": 7, "live blocks": 4, "long blocks": 130, "uneven": 0}


def cut(data: Any, per_frame: int, size: int) -> list[Any]:
    """Consecutive pieces of `size` frames, or of ever other sizes; the last of the frames may be a part of one."""
    rng = np.random.default_rng(1)
    pieces, start = [], 0
    while start < len(data):
        stop = start + per_frame * (size or int(rng.integers(1, 60)))
        pieces.append(data[start:stop])
        start = stop
    return pieces


def tensors(out: Any) -> dict[str, torch.Tensor]:
    if isinstance(out, torch.Tensor):
        return {"": out}
    return {name: torch.as_tensor(value) for name, value in vars(out).items() if name != "start"}


@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_cutting_changes_nothing(cases: Cases, name: str) -> None:
    make, data, per_frame = cases[name]
    whole = tensors(join(list(through(make(), [data]))))
    for size in CUTTINGS.values():
        if name == "render" and size == 130:
            continue
        pieces = cut(data, per_frame, size)
        one, other = (tensors(join(list(through(make(), pieces)))) for _ in range(2))
        for key, found in one.items():
            assert torch.equal(found, other[key]), "the same blocks give the same bits"
            assert found.shape == whole[key].shape
            if found.dtype == torch.uint8:
                assert ((found.int() - whole[key].int()).abs() <= 1).float().mean() >= 0.999
            else:
                assert (found - whole[key]).abs().max() <= 1e-4


@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_a_stage_waits_no_longer_than_it_says(cases: Cases, name: str) -> None:
    make, data, per_frame = cases[name]
    stage, pushed, came = make(), 0, 0
    for piece in cut(data, per_frame, 1):
        pushed += 1
        out = stage.push(piece)
        if out is not None:
            came += len(next(iter(tensors(out).values()))) // (2 if name in ("features", "log_mel", "closures") else 1)
        assert came >= pushed - stage.lookahead_frames
    assert came < pushed or stage.lookahead_frames == 0 or name == "finish", "whose sound has ended"


@torch.no_grad()
def test_a_flushed_stage_begins_anew(cases: Cases) -> None:
    for make, data, _ in cases.values():
        stage = make()
        first, again = (tensors(join(list(through(stage, [data])))) for _ in range(2))
        assert all(torch.equal(first[name], again[name]) for name in first)
        assert make().flush() is None


@torch.no_grad()
def test_streams_share_a_network(pipe: GeneFacePipeline, samples: np.ndarray) -> None:
    """State lies beside the module: two streams that take turns do not disturb each other."""
    alone = [join(list(through(FeatureStage(pipe.feature_extractor), [part]))) for part in (samples, -samples)]
    one, other = (FeatureStage(pipe.feature_extractor) for _ in range(2))
    parts: tuple[list, list] = ([], [])
    for piece in cut(samples, SAMPLES_PER_FRAME, 11):
        parts[0].append(one.push(piece))
        parts[1].append(other.push(-piece))
    for stage, found, wanted in zip((one, other), parts, alone, strict=True):
        together = [part for part in (*found, stage.flush()) if part is not None]
        assert torch.equal(torch.cat(together), wanted)


@torch.no_grad()
def test_closures_come_with_their_frames(pipe: GeneFacePipeline, samples: np.ndarray) -> None:
    """Where lips must meet reaches the finishing beside the motion, in whatever pieces, and changes it."""
    torch.manual_seed(2)
    head = PhonemeHead(16, 8, 2)
    head.ctc.weight.mul_(5)
    head.ctc.bias[BILABIALS] += 2
    speaking = GeneFacePipeline(**pipe.components, phoneme_head=head).to("cpu")
    features = speaking.extract_features(samples, 16000)
    closures = speaking.lip_closures(features)
    assert closures.shape == (FRAMES,) and 0.02 < closures.mean() < 0.98
    own = speaking.adapt_motion(speaking.generate_motion(features, OPTIONS))
    whole = speaking.finish_motion(own, samples, 16000, OPTIONS, closures=closures)
    streamed = FaceMotion.join(list(speaking.motion(samples, 16000, options=OPTIONS)))
    assert (streamed.landmarks - whole.landmarks).abs().max() <= 1e-4
    by_hand = speaking.finish_motion(own, samples, 16000, OPTIONS)
    assert (by_hand.landmarks - whole.landmarks).abs().max() <= 1e-4, "found out from the sound"
    without = speaking.finish_motion(own, samples, 16000, OPTIONS, closures=torch.zeros(FRAMES))
    assert (without.landmarks - whole.landmarks).abs().max() > 0.01
    for size in CUTTINGS.values():
        closing = LipClosureStage(head)
        finish = FinishStage(pipe.person, ArrayStream(samples), OPTIONS, pipe.device, closing.read)
        chain = Chain(closing, MotionStage(pipe.motion_generator, 5, 1.0), AdaptStage(pipe.post_net), finish)
        for _ in range(2):
            found = join(list(through(chain, cut(features, 2, size))))
            assert (found.landmarks - whole.landmarks).abs().max() <= 1e-4


@torch.no_grad()
def test_live_speech_gives_the_frames_of_the_recording(pipe: GeneFacePipeline, samples: np.ndarray) -> None:
    """All five stages, fed while it is spoken; what silence is, is asked of sound that has arrived."""
    offline = pipe(samples, 16000, options=OPTIONS)
    sound = LiveStream()
    chain = Chain(
        FeatureStage(pipe.feature_extractor),
        MotionStage(pipe.motion_generator, 5, OPTIONS.temperature),
        AdaptStage(pipe.post_net),
        FinishStage(pipe.person, sound, OPTIONS, pipe.device),
        RenderStage(pipe.renderer, OPTIONS),
    )
    chunks = [chain.push(sound.push(piece)) for piece in cut(samples, 160, 25)]
    sound.end()
    made = [chunk for chunk in (*chunks, chain.flush()) if chunk is not None]
    assert [chunk.start for chunk in made] == list(np.cumsum([0, *(len(chunk.frames) for chunk in made[:-1])]))
    assert np.abs(np.concatenate([chunk.landmarks for chunk in made]) - offline.landmarks).max() <= 1e-4
    frames = np.concatenate([chunk.frames for chunk in made]).astype(int)
    assert (np.abs(frames - offline.frames) <= 1).mean() >= 0.999


def test_what_has_not_arrived_is_no_silence(pipe: GeneFacePipeline) -> None:
    sound = LiveStream()
    sound.push(np.ones(5 * SAMPLES_PER_FRAME, np.float32))
    stage = FinishStage(pipe.person, sound, OPTIONS, pipe.device)
    assert stage.push(torch.zeros(5, 68, 3)) is None, "whether there is silence is not known yet"
    with pytest.raises(NotArrived):
        stage.flush()


def test_window_stays_short() -> None:
    longest = 0

    def apply(window: torch.Tensor, start: int) -> torch.Tensor:
        nonlocal longest
        longest = max(longest, len(window))
        return window

    list(through(WindowStage(apply, 3, 3), (torch.zeros(5) for _ in range(100))))
    assert longest <= 5 + 2 * 3


def test_windows_are_aligned() -> None:
    starts = []

    def apply(window: torch.Tensor, start: int) -> torch.Tensor:
        starts.append(start)
        return window

    list(through(WindowStage(apply, 3, 3, align=4), torch.zeros(60).split(7)))
    assert len(starts) > 3 and all(start % 4 == 0 for start in starts)


def test_nothing_in_nothing_out() -> None:
    assert list(through(WindowStage(smooth, 3, 3), [])) == []
    assert Chain(WindowStage(smooth, 3, 3), WindowStage(smooth, 1, 1)).flush() is None


@pytest.mark.slow
@torch.no_grad()
@pytest.mark.parametrize("name", ["vera", "theo"])
def test_the_law_holds_for_embedded_persons(name: str) -> None:
    pipe = GeneFacePipeline.from_pretrained(name, device="cpu")
    speech = load_audio(resource("examples/audio/tongue_twister.flac"))[: 240 * SAMPLES_PER_FRAME]

    def run(size: int) -> FaceMotion:
        sound = ArrayStream(speech)
        chain = Chain(
            FeatureStage(pipe.feature_extractor),
            MotionStage(pipe.motion_generator, 5, 1.0),
            AdaptStage(pipe.post_net),
            FinishStage(pipe.person, sound, OPTIONS, pipe.device),
        )
        return join(list(through(chain, cut(speech, SAMPLES_PER_FRAME, size))))

    one, same, other = run(4), run(4), run(37)
    assert torch.equal(one.landmarks, same.landmarks) and torch.equal(one.head, same.head)
    assert (one.landmarks - other.landmarks).abs().max() <= 1e-4
