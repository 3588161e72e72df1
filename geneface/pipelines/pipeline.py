"""GeneFacePipeline: speech in, talking portrait out; the one place where its steps meet."""

import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Self, TypeVar, overload

import numpy as np
import torch

from geneface.bundles.card import Card, read_card
from geneface.bundles.component import Part
from geneface.bundles.index import COMPONENTS, OPTIONAL
from geneface.bundles.loading import load_components, save_components
from geneface.errors import InputError
from geneface.hub.persons import open_bundle
from geneface.media.audio import AudioInput, open_audio
from geneface.models.features import FeatureStage, check_features
from geneface.models.stages import AdaptStage, LipClosureStage, MotionStage
from geneface.motion.face_motion import FaceMotion, Person
from geneface.motion.finish import FinishStage
from geneface.options import GenerationOptions, takes_options
from geneface.pipelines.output import Fields, GeneFacePipelineOutput, as_type
from geneface.renderers.frames import FrameChunk
from geneface.renderers.render_stage import RenderStage
from geneface.speaking.speech import Speech, speak
from geneface.speaking.synthesiser import Synthesiser
from geneface.streaming.audio import AudioStream, blocks
from geneface.streaming.stage import Pushed, Ready, Stage, join, through
from geneface.utils.units import FPS, SAMPLING_RATE

if TYPE_CHECKING:
    from tqdm import tqdm

    from geneface.models.features import AudioFeatures
    from geneface.models.motion_generator import MotionGenerator
    from geneface.models.phoneme_head import PhonemeHead
    from geneface.models.post_net import PostNet
    from geneface.models.projection import LandmarkProjection
    from geneface.renderers.renderer import Renderer

Callback = Callable[["GeneFacePipeline", int, int], None]
Tensors = TypeVar("Tensors", torch.Tensor, Iterator[torch.Tensor])
"""A whole recording's, or of one piece after the other."""


class GeneFacePipeline:
    """Four components, and five steps: features -> motion -> adaptation -> finishing -> rendering.

    A fifth component, the phoneme head of the feature extractor, tells where lips must meet, if it is there.

    >>> pipe = GeneFacePipeline.from_pretrained("vera")
    >>> output = pipe("speech.wav")
    """

    def __init__(
        self,
        feature_extractor: "AudioFeatures",
        motion_generator: "MotionGenerator",
        post_net: "PostNet | LandmarkProjection",
        renderer: "Renderer",
        name: str = "",
        card: Card | None = None,
        phoneme_head: "PhonemeHead | None" = None,
    ):
        check_fit(feature_extractor, motion_generator, renderer, phoneme_head)
        self.feature_extractor = feature_extractor
        self.motion_generator = motion_generator
        self.post_net = post_net
        self.renderer = renderer
        self.phoneme_head = phoneme_head
        self.name = name
        self.card = card
        self.dtype = torch.float32
        self._progress_bar_config: dict[str, object] = {}
        self._interrupt = False

    # Loading and saving

    @classmethod
    def from_pretrained(
        cls,
        path_or_id: str | Path,
        *,
        revision: str | None = None,
        token: str | None = None,
        cache_dir: str | Path | None = None,
        local_files_only: bool = False,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device | None = None,
        variant: str | None = None,
        **components: Part,
    ) -> Self:
        """Load a person from a folder, a Hub id, or the name of an embedded person.

        Args:
            device: Where to run; CUDA, then Apple's MPS, then the CPU, if None.
            variant: Weights are read from `model.<variant>.safetensors`.
            components: Components by name that replace the bundle's own.

        Raises:
            InputError: for a bundle that is missing, incomplete, damaged, newer than this release, or not safe.
        """
        bundle = open_bundle(
            path_or_id,
            revision=revision,
            variant=variant,
            token=token,
            cache_dir=cache_dir,
            local_files_only=local_files_only,
        )
        loaded: dict[str, Any] = load_components(bundle, components, variant=variant)
        pipe = cls(**loaded, name=bundle.name, card=read_card(bundle.folder))
        return pipe.to(device or default_device(), dtype)

    def save_pretrained(self, folder: str | Path, *, variant: str | None = None) -> None:
        """Write a bundle that carries all four components."""
        save_components(Path(folder), self.components, variant=variant, card=self.card)

    def push_to_hub(
        self,
        repo_id: str,
        *,
        consent: str,
        private: bool = True,
        token: str | None = None,
        link_generic: str | None = None,
    ) -> str:
        """Publish this person, described by its `card`, in one commit; returns the commit's address.

        Arguments and errors as of `geneface.hub.publish.push_to_hub`, which publishes a bundle's files as they are.
        """
        from geneface.hub.publish import push_to_hub

        with tempfile.TemporaryDirectory() as folder:
            bundle = Path(folder) / repo_id.rpartition("/")[2]
            self.save_pretrained(bundle)
            return push_to_hub(
                bundle, repo_id, consent=consent, private=private, token=token, link_generic=link_generic
            )

    @property
    def components(self) -> dict[str, Part]:
        parts = {name: getattr(self, name) for name in COMPONENTS + OPTIONAL}
        return {name: part for name, part in parts.items() if part is not None}

    def to(self, device: str | torch.device | None = None, dtype: torch.dtype | None = None) -> Self:
        """Move all components, in place; the renderer keeps its geometry in float32 and computes by autocast."""
        try:
            for component in self.components.values():
                component.to(device=device, dtype=None if component is self.renderer else dtype)
            self.dtype = dtype or self.dtype
        except (RuntimeError, AssertionError) as error:
            raise InputError(f"device {device} cannot be used ({str(error).splitlines()[0]}); try cpu") from None
        return self

    @property
    def device(self) -> torch.device:
        return self.renderer.device

    @property
    def person(self) -> Person:
        """Whose face it is: rest, natural head motion, camera, background."""
        scene = self.renderer.scene
        return Person(
            rest=self.post_net.target_rest,
            usual=self.renderer.condition.mean,
            mean_landmarks=self.motion_generator.mean_landmarks,
            blink=scene.blink_shift,
            pose_track=scene.pose_track,
            reference_pose=scene.reference_pose,
            shown_range=self.renderer.shown_range,
            intrinsics=scene.intrinsics,
            background=scene.background,
        )

    # Progress and interruption

    def progress_bar(self, total: int) -> "tqdm[NoReturn]":
        """A tqdm bar over frames, silent off a terminal; `set_progress_bar_config` sets its options."""
        from tqdm.auto import tqdm

        usual = {"unit": "frame", "dynamic_ncols": True, "disable": None}
        return tqdm(**{"total": total, **usual, **self._progress_bar_config})

    def set_progress_bar_config(self, **options: object) -> None:
        self._progress_bar_config = options

    def interrupt(self) -> None:
        """Stop a running generation before its next frames; may be called from another thread or a callback."""
        self._interrupt = True

    # The five steps. Each takes a whole recording's worth and gives the whole, or takes an iterator of consecutive
    # chunks and gives an iterator of them: the frames are the same.

    @overload
    def extract_features(self, audio: AudioInput, sampling_rate: int | None = None) -> torch.Tensor: ...
    @overload
    def extract_features(self, audio: Iterator[np.ndarray]) -> Iterator[torch.Tensor]: ...
    def extract_features(
        self, audio: AudioInput | Iterator[np.ndarray], sampling_rate: int | None = None
    ) -> torch.Tensor | Iterator[torch.Tensor]:
        """Audio features [2T, D] of a recording: path, bytes or array; or of blocks of samples at 16 kHz."""
        if isinstance(audio, Iterator):
            return through(FeatureStage(self.feature_extractor), audio)
        with open_audio(audio, sampling_rate) as source:
            return self.feature_extractor.extract(source)

    def lip_closures(self, features: torch.Tensor) -> torch.Tensor:
        """How surely the lips must meet, [T] of 0 to 1, from audio features [2T, D]; 0 without a phoneme head."""
        stage = LipClosureStage(self.phoneme_head)
        stage.push(features)
        stage.flush()
        return stage.read(0, len(features) // 2)

    def generate_motion(
        self, features: Tensors, options: GenerationOptions | None = None, **changes: object
    ) -> Tensors:
        """LM3D [T, 68, 3] of the mean identity, from audio features [2T, D]; options: `seed`, `temperature`."""
        options = GenerationOptions.of(options, **changes).seeded()
        return _run(MotionStage(self.motion_generator, options.seed or 0, options.temperature), features)

    def adapt_motion(self, lm3d: Tensors) -> Tensors:
        """LM3D [T, 68, 3] of the mean identity -> of the person."""
        return _run(AdaptStage(self.post_net), lm3d)

    @overload
    def finish_motion(
        self,
        lm3d: torch.Tensor,
        audio: AudioInput | AudioStream,
        sampling_rate: int | None = None,
        options: GenerationOptions | None = None,
        closures: torch.Tensor | LipClosureStage | None = None,
        **changes: object,
    ) -> FaceMotion: ...
    @overload
    def finish_motion(
        self,
        lm3d: Iterator[torch.Tensor],
        audio: AudioInput | AudioStream,
        sampling_rate: int | None = None,
        options: GenerationOptions | None = None,
        closures: torch.Tensor | LipClosureStage | None = None,
        **changes: object,
    ) -> Iterator[FaceMotion]: ...
    def finish_motion(
        self,
        lm3d: torch.Tensor | Iterator[torch.Tensor],
        audio: AudioInput | AudioStream,
        sampling_rate: int | None = None,
        options: GenerationOptions | None = None,
        closures: torch.Tensor | LipClosureStage | None = None,
        **changes: object,
    ) -> FaceMotion | Iterator[FaceMotion]:
        """`FaceMotion` from the person's LM3D [T, 68, 3] and the sound: silence, lips, blinks, head motion.

        Options: `seed`, `temperature`, `mouth`, `head`, `pose`, `blink`. The sound may be an `AudioStream` that has
        not ended. `closures` is what `lip_closures` gives, or a stage of a stream through which the features go; if it
        is not given, features are extracted once more for it, of sound that has ended.
        """
        options = GenerationOptions.of(options, **changes).seeded()
        source = audio if isinstance(audio, AudioStream) else open_audio(audio, sampling_rate)
        if isinstance(closures, torch.Tensor):
            known = LipClosureStage(None)
            known.keep(closures)
            closures = known
        elif closures is None and self.phoneme_head is not None and source.ended:
            closures = LipClosureStage(self.phoneme_head)
            deque(through(closures, self.extract_features(blocks(source))), maxlen=0)
        read = None if closures is None else closures.read
        return _run(FinishStage(self.person, source, options, self.device, read), lm3d)

    @overload
    def render(
        self, motion: FaceMotion, options: GenerationOptions | None = None, **changes: object
    ) -> FrameChunk: ...
    @overload
    def render(
        self, motion: Iterator[FaceMotion], options: GenerationOptions | None = None, **changes: object
    ) -> Iterator[FrameChunk]: ...
    def render(
        self,
        motion: FaceMotion | Iterator[FaceMotion],
        options: GenerationOptions | None = None,
        **changes: object,
    ) -> FrameChunk | Iterator[FrameChunk]:
        """`FrameChunk` of a `FaceMotion`; options: `background`, `size`, `shape`."""
        stage = RenderStage(self.renderer, GenerationOptions.of(options, **changes), self.dtype)
        chunks = stage.run(motion if isinstance(motion, Iterator) else [motion])
        return chunks if isinstance(motion, Iterator) else join(list(chunks))

    # All of it

    @takes_options
    def motion(
        self,
        audio: AudioInput,
        sampling_rate: int | None = None,
        *,
        options: GenerationOptions | None = None,
        generator: torch.Generator | None = None,
        **changes: object,
    ) -> Iterator[FaceMotion]:
        """Yield chunks of all the motion that `stream` renders with the same arguments: the first four steps.

        Much faster than rendering: take it to look at it, or to change it, and give it to `stream`.
        """
        options = GenerationOptions.of(options, generator, **changes).seeded()
        with open_audio(audio, sampling_rate) as source:
            closures = LipClosureStage(self.phoneme_head)
            features = through(closures, self.extract_features(blocks(source)))
            lm3d = self.generate_motion(features, options)
            lm3d = self.adapt_motion(lm3d)
            yield from self.finish_motion(lm3d, source, options=options, closures=closures)

    @takes_options
    def stream(
        self,
        audio: AudioInput,
        sampling_rate: int | None = None,
        *,
        options: GenerationOptions | None = None,
        generator: torch.Generator | None = None,
        callback_on_frame_end: Callback | None = None,
        motion: Iterable[FaceMotion] | None = None,
        **changes: object,
    ) -> Generator[FrameChunk]:
        """Yield frames as they are ready, in memory that does not grow with the audio; arguments as in a call.

        `motion` is what the method of that name gives, if it is there already.
        """
        options = GenerationOptions.of(options, generator, **changes).seeded()
        self._interrupt = False
        with open_audio(audio, sampling_rate) as source, self.progress_bar(total=source.frames) as bar:
            motion = iter(motion) if motion is not None else self.motion(source, options=options)
            for chunk in self.render(motion, options):
                if self._interrupt:
                    return
                yield chunk
                bar.update(len(chunk.frames))
                if callback_on_frame_end:
                    callback_on_frame_end(self, chunk.start + len(chunk.frames) - 1, source.frames)

    @overload
    def __call__(
        self,
        audio: AudioInput,
        sampling_rate: int | None = None,
        *,
        options: GenerationOptions | None = None,
        generator: torch.Generator | None = None,
        output_type: str = "np",
        callback_on_frame_end: Callback | None = None,
        return_dict: Literal[True] = True,
        **changes: object,
    ) -> GeneFacePipelineOutput: ...
    @overload
    def __call__(
        self,
        audio: AudioInput,
        sampling_rate: int | None = None,
        *,
        options: GenerationOptions | None = None,
        generator: torch.Generator | None = None,
        output_type: str = "np",
        callback_on_frame_end: Callback | None = None,
        return_dict: Literal[False],
        **changes: object,
    ) -> Fields: ...
    @takes_options
    def __call__(
        self,
        audio: AudioInput,
        sampling_rate: int | None = None,
        *,
        options: GenerationOptions | None = None,
        generator: torch.Generator | None = None,
        output_type: str = "np",
        callback_on_frame_end: Callback | None = None,
        return_dict: bool = True,
        **changes: object,
    ) -> GeneFacePipelineOutput | Fields:
        """Make the frames of a talking portrait; for long audio use `stream`, which keeps no frames.

        The same as the five steps one after the other: `extract_features`, `generate_motion`, `adapt_motion`,
        `finish_motion`, `render`.

        Args:
            audio: A path, bytes, or an array with its `sampling_rate`.
            options: How to speak, and before what; `changes` are fields of `GenerationOptions` by name.
            generator: Source of the seed, as in diffusers; the same seed on the same device gives the same result.
            output_type: "np", "pt" or "pil"; see `GeneFacePipelineOutput`.
            callback_on_frame_end: Called with (pipeline, frame number, total) after each few frames.
            return_dict: A tuple if False.

        Raises:
            InputError: for audio or settings that cannot be used.
        """
        if output_type not in ("np", "pt", "pil"):
            raise InputError(f"output_type is {output_type!r}; it must be np, pt or pil")
        options = GenerationOptions.of(options, generator, **changes)
        with open_audio(audio, sampling_rate) as source:
            stream = self.stream(source, options=options, callback_on_frame_end=callback_on_frame_end)
            (width, height), channels = options.frame_size(self.renderer.size), 4 if options.transparent else 3
            none = FrameChunk(0, np.zeros((0, height, width, channels), np.uint8), np.zeros((0, 68, 3), np.float32))
            made = FrameChunk.join([none, *stream])
            samples = source.read(0, source.samples)
        output = GeneFacePipelineOutput(
            frames=as_type(made.frames, output_type),
            audio=samples,
            sampling_rate=SAMPLING_RATE,
            fps=FPS,
            landmarks=made.landmarks,
        )
        return output if return_dict else output.to_tuple()

    @takes_options
    def speak(
        self,
        text: str,
        voice: str | None = None,
        *,
        speed: float = 1.0,
        synthesiser: Synthesiser | None = None,
        **arguments: Any,
    ) -> Any:
        """Say a text: what `say` gives, in a call with `arguments`."""
        return self(self.say(text, voice, speed=speed, synthesiser=synthesiser), **arguments)

    def say(self, text: str, voice: str | None = None, **arguments: Any) -> Speech:
        """`speaking.speech.speak`, in the person's own voice if none is named: may be given as a recording."""
        return speak(text, voice, preferred=self.card.voice if self.card else "", **arguments)


def check_fit(
    extractor: "AudioFeatures", generator: "MotionGenerator", renderer: "Renderer", head: "PhonemeHead | None" = None
) -> None:
    """Raise `InputError` for components that were not made for each other."""
    if renderer.track != "lm3d":
        raise InputError(
            f"{type(renderer).__name__} is driven by audio alone, without landmarks (AD-NeRF, a baseline of the "
            "paper): compare it by `python -m research.ablations`, or take a person made by "
            "`geneface train`"
        )
    check_features(extractor, generator, "motion generator")
    if head is not None and extractor.feature_size != head.feature_size:
        raise InputError(
            f"the feature extractor gives {extractor.feature_size} numbers a feature where the phoneme head was "
            f"trained on {head.feature_size}; take the two from one bundle, or phoneme_head=None"
        )


def default_device() -> torch.device:
    """CUDA, then Apple's MPS, then the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


@overload
def _run(stage: Stage[Pushed, Ready], data: Iterator[Pushed]) -> Iterator[Ready]: ...
@overload
def _run(stage: Stage[Pushed, Ready], data: Pushed) -> Ready: ...
def _run(stage: Stage[Pushed, Ready], data: Pushed | Iterator[Pushed]) -> Ready | Iterator[Ready]:
    """A stage over all of its input: whole, or as an iterator of chunks."""
    return through(stage, data) if isinstance(data, Iterator) else join(list(through(stage, [data])))
