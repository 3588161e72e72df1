"""What diffusers tests on its pipelines, on GeneFacePipeline with tiny real components."""

import inspect
import json

import numpy as np
import pytest
import torch

from geneface import GeneFacePipeline, InputError
from geneface.hub.persons import list_persons
from geneface.media.audio import load_audio
from geneface.models.log_mel import LogMel
from geneface.motion.face_motion import FaceMotion
from geneface.options import GenerationOptions
from geneface.resources import resource


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def run(pipe, speech, seed=0, **options):
    return pipe(speech, 16000, generator=seeded(seed), **options)


def test_output_has_a_frame_for_every_640_samples(tiny_pipeline, speech):
    output = run(tiny_pipeline, speech[:30001])
    assert output.frames.shape == (47, 64, 64, 3) and output.frames.dtype == np.uint8
    assert output.landmarks.shape == (47, 68, 3)
    assert output.fps == 25 and output.sampling_rate == 16000 and len(output.audio) == 30001


def test_save_and_load_gives_the_same_frames(tiny_pipeline, speech, tmp_path):
    before = run(tiny_pipeline, speech)
    tiny_pipeline.save_pretrained(tmp_path / "copy")
    loaded = GeneFacePipeline.from_pretrained(tmp_path / "copy", device="cpu")
    loaded.set_progress_bar_config(disable=True)
    assert np.array_equal(run(loaded, speech).frames, before.frames)


def test_saved_bundle_names_no_path_of_this_machine(tiny_bundle):
    pipe = GeneFacePipeline.from_pretrained(tiny_bundle, device="cpu")
    pipe.save_pretrained(tiny_bundle.parent / "again")
    index = (tiny_bundle.parent / "again" / "model_index.json").read_text()
    assert str(tiny_bundle.parent) not in index
    assert json.loads(index) == json.loads((tiny_bundle / "model_index.json").read_text())


def test_tuple_equals_output(tiny_pipeline, speech):
    output = run(tiny_pipeline, speech)
    frames, audio, sampling_rate, fps, landmarks = run(tiny_pipeline, speech, return_dict=False)
    assert np.array_equal(frames, output.frames) and np.array_equal(landmarks, output.landmarks)
    assert np.array_equal(audio, output.audio) and (sampling_rate, fps) == (16000, 25)


def test_seed_decides(tiny_pipeline, speech):
    first, again, other = (run(tiny_pipeline, speech, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.frames, again.frames)
    assert not np.allclose(first.landmarks, other.landmarks, atol=1e-4)


def test_temperature_zero_needs_no_seed(tiny_pipeline, speech):
    first, other = (run(tiny_pipeline, speech, seed, temperature=0.0, blink="none") for seed in (1, 2))
    assert np.array_equal(first.landmarks, other.landmarks)


def test_stream_equals_call(tiny_pipeline, speech):
    whole = run(tiny_pipeline, speech)
    chunks = list(tiny_pipeline.stream(speech, 16000, generator=seeded()))
    assert [chunk.start for chunk in chunks] == list(np.cumsum([0] + [len(chunk.frames) for chunk in chunks[:-1]]))
    assert np.array_equal(np.concatenate([chunk.frames for chunk in chunks]), whole.frames)


def test_stages_equal_call(tiny_pipeline, speech):
    same_as_the_steps(tiny_pipeline, speech)


@pytest.mark.slow
@pytest.mark.parametrize("name", list_persons())
def test_stages_equal_call_for_embedded_persons(name):
    """Their torsos move, their lips are pressed, they blink; nothing of it is hidden in the call."""
    pipe = GeneFacePipeline.from_pretrained(name, device="cpu")
    pipe.set_progress_bar_config(disable=True)
    assert pipe.renderer.torso_state(pipe.person.pose_track).std() > 0.1
    same_as_the_steps(pipe, load_audio(resource("examples/audio/welcome.mp3"))[20000:60000])


def same_as_the_steps(pipe, speech):
    options = GenerationOptions(seed=3, blink=60)
    features = pipe.extract_features(speech, 16000)
    lm3d = pipe.adapt_motion(pipe.generate_motion(features, options))
    motion = pipe.finish_motion(lm3d, speech, 16000, options)
    frames = pipe.render(motion, options).frames
    whole = pipe(speech, 16000, options=options)
    assert np.allclose(motion.landmarks.numpy(), whole.landmarks, atol=1e-5) and motion.eyes.max() == 1
    difference = np.abs(frames.astype(int) - whole.frames)
    assert difference.max() <= 1 and (difference > 0).mean() < 1e-3


def test_long_audio_is_chunked_without_a_trace(tiny_pipeline, speech):
    long = np.tile(speech, 3)
    features = tiny_pipeline.extract_features(long, 16000)
    whole = tiny_pipeline.generate_motion(features, seed=5)
    pieces = torch.cat(list(tiny_pipeline.generate_motion(iter(features.split(64)), seed=5)))
    assert torch.allclose(whole, pieces, atol=1e-4)


def test_call_signature():
    parameters = inspect.signature(GeneFacePipeline.__call__).parameters
    expected = ["audio", "sampling_rate", *GenerationOptions.__dataclass_fields__, "options", "generator"]
    assert {"temperature", "mouth", "head", "pose", "blink", "background", "size"} < set(expected)
    assert list(parameters)[1 : 1 + len(expected)] == expected
    assert all(parameters[name].kind is inspect.Parameter.KEYWORD_ONLY for name in expected[2:])
    assert {"output_type", "callback_on_frame_end", "return_dict"} <= parameters.keys()


def test_components_are_those_of_the_constructor(tiny_pipeline):
    required = [
        name
        for name, parameter in inspect.signature(GeneFacePipeline.__init__).parameters.items()
        if parameter.default is inspect.Parameter.empty and name != "self"
    ]
    assert list(tiny_pipeline.components) == required


def test_component_override(tiny_bundle, tiny_pipeline):
    post_net = tiny_pipeline.post_net
    pipe = GeneFacePipeline.from_pretrained(tiny_bundle, device="cpu", post_net=post_net)
    assert pipe.post_net is post_net
    with pytest.raises(InputError, match="vocoder"):
        GeneFacePipeline.from_pretrained(tiny_bundle, vocoder=post_net)


def test_unusable_device_is_an_input_error(tiny_bundle):
    if torch.cuda.is_available():
        pytest.skip("CUDA is usable here")
    with pytest.raises(InputError, match="cuda"):
        GeneFacePipeline.from_pretrained(tiny_bundle, device="cuda")


def test_variant(tiny_pipeline, tmp_path, speech):
    tiny_pipeline.save_pretrained(tmp_path / "v", variant="fp16")
    assert (tmp_path / "v" / "renderer" / "model.fp16.safetensors").is_file()
    GeneFacePipeline.from_pretrained(tmp_path / "v", variant="fp16", device="cpu")
    with pytest.raises(InputError, match="missing"):
        GeneFacePipeline.from_pretrained(tmp_path / "v", device="cpu")


@pytest.mark.parametrize(("output_type", "check"), [("pt", torch.is_tensor), ("pil", lambda x: x[0].size == (64, 64))])
def test_output_types(tiny_pipeline, speech, output_type, check):
    assert check(run(tiny_pipeline, speech[:6400], output_type=output_type).frames)


def test_callback_sees_every_batch_and_can_stop(tiny_pipeline, speech):
    seen = []

    def callback(pipe, frame, total):
        seen.append((frame, total))
        if frame >= 5:
            pipe.interrupt()

    output = run(tiny_pipeline, speech, callback_on_frame_end=callback)
    assert seen == [(frame, 50) for frame in range(6)] and len(output.frames) == 6
    assert len(run(tiny_pipeline, speech).frames) == 50, "the next call starts afresh"


def test_progress_bar_counts_frames(tiny_pipeline, speech, capsys):
    tiny_pipeline.set_progress_bar_config(disable=False)
    run(tiny_pipeline, speech)
    assert "50/50" in capsys.readouterr().err


def test_size_background_and_pose(tiny_pipeline, speech, tmp_path):
    clip = speech[:3200]
    assert run(tiny_pipeline, clip, size=96).frames.shape == (5, 96, 96, 3)
    own, white = run(tiny_pipeline, clip).frames, run(tiny_pipeline, clip, background="#ffffff").frames
    assert white.mean() > own.mean()
    moving, still = run(tiny_pipeline, clip, temperature=0, blink="none"), run(tiny_pipeline, clip, pose="still")
    motion = FaceMotion.join(list(tiny_pipeline.motion(clip, 16000, generator=seeded())))
    poses = motion.head.numpy()
    given = run(tiny_pipeline, clip, temperature=0, blink="none", pose=poses)
    assert np.array_equal(given.frames, moving.frames) and not np.array_equal(still.frames, moving.frames)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"temperature": -1}, "temperature"),
        ({"pose": "wild"}, "pose"),
        ({"pose": np.zeros((3, 4))}, "pose"),
        ({"blink": "often"}, "blink"),
        ({"size": 7}, "size"),
        ({"background": "#12"}, "colour"),
        ({"background": "nowhere.png"}, "nowhere.png"),
        ({"output_type": "gif"}, "output_type"),
        ({"mouth": 2}, "mouth"),
        ({"head": "much"}, "head"),
        ({"mood": "happy"}, "mood"),
    ],
)
def test_bad_settings_are_named(tiny_pipeline, speech, options, word):
    with pytest.raises(InputError, match=word):
        run(tiny_pipeline, speech, **options)


def test_seed_and_extractor_are_checked(tiny_pipeline, speech):
    with pytest.raises(InputError, match="seed is -1"):
        tiny_pipeline(speech, 16000, seed=-1)
    parts = tiny_pipeline.components
    with pytest.raises(InputError, match=r"gives 8 numbers a feature .* trained on 16"):
        GeneFacePipeline(**{**parts, "feature_extractor": LogMel(8)})
    parts["motion_generator"].extractor = "hubert_1"
    with pytest.raises(InputError, match="is log_mel where the motion generator was trained on hubert_1"):
        GeneFacePipeline(**{**parts, "feature_extractor": LogMel(16)})


def test_mouth_and_head_move_as_far_as_asked(tiny_pipeline, speech):
    def motion(**options):
        return FaceMotion.join(list(tiny_pipeline.motion(speech, 16000, seed=2, blink="none", **options)))

    person = tiny_pipeline.person
    natural, still, half = motion(), motion(head=0, mouth=0), motion(head=0.5)
    assert torch.allclose(still.head, person.reference_pose.expand(50, 3, 4), atol=1e-5)
    assert (still.landmarks - still.landmarks[0]).abs().max() < 1e-5
    shift, less = ((each.head - person.reference_pose)[:, :, 3] for each in (natural, half))
    assert shift.abs().max() > 0.1 and torch.allclose(less, 0.5 * shift, atol=1e-4)


def test_blink_moves_only_the_eyes(tiny_pipeline, speech):
    long = np.tile(speech, 5)
    with_blinks, without = (run(tiny_pipeline, long, blink=blink).landmarks for blink in ("natural", "none"))
    difference = np.abs(with_blinks - without).max((0, 2))
    assert difference[36:48].min() > 0 and difference[:36].max() < 1e-5 and difference[48:].max() < 1e-5


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_shows_nearly_the_same(tiny_pipeline, speech, dtype):
    whole = run(tiny_pipeline, speech).frames.astype(int)
    half = run(tiny_pipeline.to(dtype=dtype), speech).frames.astype(int)
    assert 0 < np.abs(whole - half).mean() < 1


def test_progress_bars_are_silent_off_a_terminal(tiny_pipeline, speech, capfd):
    tiny_pipeline.set_progress_bar_config()
    tiny_pipeline(speech, 16000)
    assert capfd.readouterr().err == ""
