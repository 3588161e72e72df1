"""A drawn person's own video says something else: same pictures but for the mouth, same times, the new sound."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from drawn_person import (
    LIPS,
    Actor,
    ColourParser,
    NumberDetector,
    draw,
    mean_landmarks,
    no_correspondence,
    write_drawn_face,
)
from tiny import TINY_RENDERER, tiny_components

from geneface import GeneFacePipeline, InputError
from geneface.dubbing.dub import dub_video
from geneface.dubbing.shots import follow_shots
from geneface.face.ibug68 import CHIN, NOSE_BASE
from geneface.hub import assets
from geneface.media.audio import open_audio
from geneface.media.provenance import read_provenance
from geneface.media.video import VideoReader, probe
from geneface.preprocessing import preprocess_steps
from geneface.preprocessing.progress import StepProgress
from geneface.renderers.camera import project
from geneface.renderers.fast import FastRenderer
from geneface.renderers.renderer import Rendering
from geneface.utils.files import ResumableFolder
from geneface.utils.stopping import Stopped

CONSENT = "It is drawn."


class DrawnRenderer(FastRenderer):
    """Draws the head that it is asked for, as the video does."""

    def forward(self, windows, pose, background=None, torso=None):
        person = torch.from_numpy(mean_landmarks())
        points = project(windows[:, 1] + person, pose, self.scene.intrinsics).numpy()
        rgb = np.stack([draw(each) for each in points]) / np.float32(255)
        return Rendering(torch.from_numpy(rgb).permute(0, 3, 1, 2), torch.ones(len(rgb), 1, 512, 512))


@pytest.fixture(scope="module")
def actor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Actor, Path]]:
    folder = tmp_path_factory.mktemp("dub")
    face = folder / "face.safetensors"
    actor = Actor(write_drawn_face(face))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preprocess_steps.Job, "detector", lambda self: NumberDetector(actor))
        patch.setattr(preprocess_steps, "FaceParser", ColourParser)
        patch.setattr(preprocess_steps, "find_correspondence", no_correspondence)
        patch.setattr(assets, "get_asset", lambda *asset: face)
        yield actor, actor.write_video(folder / "video.mp4")


@pytest.fixture(scope="module")
def pipe(actor: tuple[Actor, Path], tmp_path_factory: pytest.TempPathFactory) -> GeneFacePipeline:
    """A person that is prepared from this very video."""
    folder = tmp_path_factory.mktemp("person")
    with ResumableFolder(folder / "tracking", {}) as work:
        shots, _ = follow_shots(actor[1], work, None, StepProgress())
        torch.manual_seed(0)
        renderer = DrawnRenderer(**{**TINY_RENDERER, "size": 512, "grid": 32, "pose_frames": 100})
        renderer.prepare(shots[0].data)
    parts = {**tiny_components(), "renderer": renderer.eval()}
    parts["motion_generator"].mean_landmarks.copy_(torch.from_numpy(mean_landmarks()))
    return GeneFacePipeline(**parts, name="drawn").to("cpu")


def pictures(path: Path) -> np.ndarray:
    with VideoReader(path) as reader:
        return np.stack(list(reader)).astype(int)


@pytest.fixture(scope="module")
def dubbed(actor: tuple[Actor, Path], pipe: GeneFacePipeline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a second of tone in place of what it says."""
    output = tmp_path_factory.mktemp("dubbed") / "dubbed.mp4"
    seconds = np.arange(16000) / 16000
    tone = 0.3 * np.sin(2 * np.pi * 220 * seconds).astype(np.float32)
    result = dub_video(pipe, actor[1], open_audio(tone, 16000), output, consent=CONSENT, seed=1, mark=False)
    assert result.frames == 25 and result.seconds == pytest.approx(1.0)
    assert [path.name for path in output.parent.iterdir()] == [output.name]
    return output


def test_only_the_mouth_is_another(actor: tuple[Actor, Path], dubbed: Path) -> None:
    before, after = pictures(actor[1])[:25], pictures(dubbed)
    points = actor[0].points[:25]
    above, below = int(points[:, NOSE_BASE, 1].min()) - 12, int(points[:, CHIN, 1].max()) + 60
    rest = np.concatenate([(before - after)[:, :above], (before - after)[:, below:]], axis=1)
    assert 10 * np.log10(255**2 / np.square(rest).mean()) > 38
    opened, made = ((np.abs(shown - LIPS).sum(-1) < 60)[:, above:below].sum((1, 2)) for shown in (before, after))
    # The untrained generator keeps the mouth half open; the video's opens and closes.
    assert opened.std() > 3 * made.std() and made.min() > 2 * opened.min()


def test_it_says_what_it_is(dubbed: Path) -> None:
    found = read_provenance(dubbed)
    assert found.state == "valid" and found.ai_generated and found.person == "drawn"
    assert found.settings["dubbed"] == 1


def test_a_longer_speech_keeps_sound_and_picture_together(
    actor: tuple[Actor, Path], pipe: GeneFacePipeline, tmp_path: Path, speech: np.ndarray
) -> None:
    long = np.tile(speech, 3)
    result = dub_video(
        pipe, actor[1], open_audio(long, 16000), tmp_path / "long.mp4", consent=CONSENT, seed=1, keep_sound=True
    )
    facts = probe(result.path)
    assert facts.video_seconds == pytest.approx(6.0, abs=0.05) and facts.audio_seconds == pytest.approx(6.0, abs=0.05)
    with av.open(str(result.path)) as file:
        times = np.sort([packet.pts * packet.time_base for packet in file.demux(video=0) if packet.pts is not None])
    assert np.diff(times.astype(float)) == pytest.approx(0.04, abs=1e-3)


def test_consent_is_asked_and_a_stop_keeps_what_was_tracked(
    actor: tuple[Actor, Path], pipe: GeneFacePipeline, tmp_path: Path, speech: np.ndarray
) -> None:
    output = tmp_path / "dubbed.mp4"
    with pytest.raises(InputError, match="consent"):
        dub_video(pipe, actor[1], open_audio(speech, 16000), output, consent=" ")
    assert not list(tmp_path.iterdir())

    class Ends(StepProgress):
        def each(self, items, name, length):
            if name == "dubbing":
                raise Stopped
            return items

    with pytest.raises(Stopped):
        dub_video(pipe, actor[1], open_audio(speech, 16000), output, consent=CONSENT, progress=Ends())
    assert not output.exists()
    assert (tmp_path / f".{output.name}.tracking.unfinished" / "shot_0" / "tracks.safetensors").is_file()


def test_its_own_output_is_no_input(actor: tuple[Actor, Path], pipe: GeneFacePipeline, speech: np.ndarray) -> None:
    with pytest.raises(InputError, match="overwrite"):
        dub_video(pipe, actor[1], open_audio(speech, 16000), actor[1], consent=CONSENT)
