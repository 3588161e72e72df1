"""GeneFacePipeline: speech in, talking portrait out; the one place where the four stages meet."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch

from geneface.ahead import ahead
from geneface.card import Card, read_card
from geneface.components import load_components, save_components
from geneface.errors import InputError
from geneface.hub import resolve_bundle
from geneface.index import COMPONENTS
from geneface.media.audio import FPS, SAMPLING_RATE, AudioInput, open_audio
from geneface.media.webm import TRANSPARENT
from geneface.models.blink import add_blinks, blink_rate
from geneface.models.lips import press_lips
from geneface.models.motion_generator import latent_noise
from geneface.models.silence import close_in_silence
from geneface.models.streaming import numbered_batches, overlapped
from geneface.options import Background, background_picture, check_options
from geneface.output import FrameChunk, GeneFacePipelineOutput, as_pixels, as_type
from geneface.rendering.condition import neighbour_windows

if TYPE_CHECKING:
    from geneface.models.feature_extractor import FeatureExtractor
    from geneface.models.motion_generator import MotionGenerator
    from geneface.models.post_net import PostNet
    from geneface.models.projection import LandmarkProjection
    from geneface.rendering.renderer import Renderer

Callback = Callable[["GeneFacePipeline", int, int], None]


class GeneFacePipeline:
    """Four components and their order: features -> motion -> adaptation -> rendering.

    >>> pipe = GeneFacePipeline.from_pretrained("vera")
    >>> output = pipe("speech.wav")
    """

    def __init__(
        self,
        feature_extractor: "FeatureExtractor",
        motion_generator: "MotionGenerator",
        post_net: "PostNet | LandmarkProjection",
        renderer: "Renderer",
        name: str = "",
        card: Card | None = None,
    ):
        if renderer.condition.track != "lm3d":
            raise InputError(
                "this renderer is driven by audio alone, without landmarks (AD-NeRF, a baseline of the paper): "
                "compare it by `python -m geneface.evaluation.ablations`, or take a person made by `geneface train`"
            )
        self.feature_extractor = feature_extractor
        self.motion_generator = motion_generator
        self.post_net = post_net
        self.renderer = renderer
        self.name = name
        self.card = card
        self.dtype = torch.float32
        self._progress_bar_config: dict[str, Any] = {}
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
        **components: Any,
    ) -> Self:
        """Load a person from a folder, a Hub id, or the name of an embedded person.

        Args:
            device: Where to run; CUDA, then Apple's MPS, then the CPU, if None.
            variant: Weights are read from `model.<variant>.safetensors`.
            components: Components by name that replace the bundle's own.

        Raises:
            InputError: for a bundle that is missing, incomplete, damaged, newer than this release, or not safe.
        """
        hub: dict[str, Any] = {"token": token, "cache_dir": cache_dir, "local_files_only": local_files_only}
        folder = resolve_bundle(path_or_id, revision=revision, variant=variant, **hub)
        loaded = load_components(folder, components, variant=variant, hub=hub)
        # A person from the Hub goes by its id: its folder in the cache is named after a commit.
        name = folder.name if Path(path_or_id).is_dir() else str(path_or_id)
        return cls(**loaded, name=name, card=read_card(folder)).to(device or default_device(), dtype)

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

        Arguments and errors as of `geneface.publish.push_to_hub`, which publishes a bundle's files as they are.
        """
        from geneface.publish import push_to_hub

        with tempfile.TemporaryDirectory() as folder:
            bundle = Path(folder) / repo_id.rpartition("/")[2]
            self.save_pretrained(bundle)
            return push_to_hub(
                bundle, repo_id, consent=consent, private=private, token=token, link_generic=link_generic
            )

    @property
    def components(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in COMPONENTS}

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
    def batch_frames(self) -> int:
        """Frames rendered together: a GPU is fast with many, a CPU's caches are small."""
        return 1 if self.device.type == "cpu" else 32

    @property
    def render_threads(self) -> int:
        """Batches rendered at once; a GPU takes one after the other."""
        return torch.get_num_threads() if self.device.type == "cpu" else 1

    # Progress and interruption

    def progress_bar(self, total: int) -> Any:
        """A tqdm bar over frames; `set_progress_bar_config` sets its options."""
        from tqdm.auto import tqdm

        return tqdm(**{"total": total, "unit": "frame", "dynamic_ncols": True, **self._progress_bar_config})

    def set_progress_bar_config(self, **options: Any) -> None:
        self._progress_bar_config = options

    def interrupt(self) -> None:
        """Stop a running generation before its next frames; may be called from another thread or a callback."""
        self._interrupt = True

    # The four stages

    @torch.no_grad()
    def extract_features(self, audio: AudioInput, sampling_rate: int | None = None) -> torch.Tensor:
        """Audio features [2T, D] of a recording: path, bytes or array."""
        with open_audio(audio, sampling_rate) as source:
            return torch.cat(list(self.feature_extractor.stream(source)))

    @torch.no_grad()
    def generate_motion(
        self, features: torch.Tensor, *, generator: torch.Generator | None = None, temperature: float = 1.0
    ) -> torch.Tensor:
        """LM3D [T, 68, 3] in the generic domain from audio features [2T, D]."""
        return torch.cat(list(self._motion([features], _seed(generator), temperature)))

    @torch.no_grad()
    def adapt_motion(self, lm3d: torch.Tensor) -> torch.Tensor:
        """LM3D [T, 68, 3] from the generic domain into the person's."""
        return self.post_net(lm3d.to(self.device, self.post_net.dtype).unsqueeze(0)).squeeze(0)

    @torch.no_grad()
    def render(
        self,
        lm3d: torch.Tensor,
        pose: torch.Tensor,
        background: torch.Tensor | None = None,
        size: int | None = None,
        transparent: bool = False,
        body: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """uint8 frames [N, 3, size, size], on the device.

        Args:
            lm3d: [N, 3, 68, 3], the person's LM3D with their neighbours (`neighbour_windows`).
            pose: [N, 3, 4], head to camera.
            background: [3, S, S] in [0, 1]; the person's own if None.
            transparent: Without a background: [N, 4, size, size], colours not multiplied by the opacity.
            body: [N, 8], how the torso lies (`rendering.torso`); as the head's pose lets expect if None.
        """
        if transparent:
            background = torch.zeros_like(self.renderer.scene.background, dtype=torch.float32)
        lm3d = lm3d.float()
        lips = self.post_net.target_rest, self.renderer.condition.mean, self.motion_generator.mean_landmarks
        pressed = press_lips(lm3d, *(part.to(lm3d) for part in lips))
        with torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype != torch.float32):
            rendering = self.renderer(pressed, pose, background, body)
        return as_pixels(rendering.rgb, rendering.alpha if transparent else None, size)

    def _motion(self, features: Any, seed: int, temperature: float) -> Iterator[torch.Tensor]:
        """Chunks of audio features [2n, D] -> chunks of generic LM3D [n, 68, 3]."""
        model = self.motion_generator

        def sample(window: torch.Tensor, start: int) -> torch.Tensor:
            first = start // model.stride
            noise = latent_noise(seed, first, first + model.latent_frames(len(window)), model.latent_channels)
            noise = noise.to(window.device, window.dtype).unsqueeze(0)
            return model(window.flatten(0, 1).unsqueeze(0), noise, temperature).squeeze(0)

        per_frame = (chunk.to(self.device, model.dtype).unflatten(0, (-1, 2)) for chunk in features)
        return overlapped(per_frame, sample, model.context_frames, align=model.stride)

    @torch.no_grad()
    def motion(
        self,
        audio: AudioInput,
        sampling_rate: int | None = None,
        *,
        generator: torch.Generator | None = None,
        temperature: float = 1.0,
        blink: str | float = "natural",
    ) -> Iterator[torch.Tensor]:
        """Yield chunks [n, 68, 3] of all the motion that `stream` renders with the same arguments.

        Much faster than rendering: take it to look at it, or to change it, and give it to `stream`.
        """
        check_options(temperature=temperature, blink=blink)
        seed = _seed(generator)
        with open_audio(audio, sampling_rate) as source:
            motion = self._motion(self.feature_extractor.stream(source), seed, temperature)
            adapted = overlapped(motion, lambda window, _: self.adapt_motion(window), self.post_net.context_frames)
            final = close_in_silence(adapted, self.post_net.target_rest, source.read)
            yield from add_blinks(final, self.renderer.scene.blink_shift, seed, blink_rate(blink))

    # All of it

    @torch.no_grad()
    def stream(
        self,
        audio: AudioInput,
        sampling_rate: int | None = None,
        *,
        generator: torch.Generator | None = None,
        temperature: float = 1.0,
        pose: str | np.ndarray = "natural",
        blink: str | float = "natural",
        background: Background = None,
        size: int | None = None,
        callback_on_frame_end: Callback | None = None,
        motion: Iterable[torch.Tensor] | None = None,
    ) -> Iterator[FrameChunk]:
        """Yield frames as they are ready, in memory that does not grow with the audio; arguments as in a call.

        `motion` is what the method of that name gives, if it is there already.
        """
        check_options(temperature=temperature, pose=pose, blink=blink, size=size)
        self._interrupt = False
        transparent = isinstance(background, str) and background == TRANSPARENT
        backdrop = None if transparent else background_picture(background, self.renderer.size)
        if backdrop is not None:
            backdrop = backdrop.to(self.device, self.renderer.dtype)
        with open_audio(audio, sampling_rate) as source, self.progress_bar(total=source.frames) as bar:
            if motion is None:
                motion = self.motion(source, generator=generator, temperature=temperature, blink=blink)
            windows = overlapped(motion, lambda window, _: neighbour_windows(window), 1)

            def render(item: tuple[int, torch.Tensor]) -> FrameChunk:
                start, batch = item
                poses = self.prepare_poses(pose, start, len(batch))
                natural = isinstance(pose, str) and pose == "natural"
                body = self.renderer.scene.bodies(start, start + len(batch)) if natural else None
                frames = self.render(batch, poses, backdrop, size, transparent, body)
                return FrameChunk(
                    start=start,
                    frames=frames.permute(0, 2, 3, 1).contiguous().cpu().numpy(),
                    landmarks=batch[:, 1].float().cpu().numpy(),
                    total=source.frames,
                )

            for chunk in ahead(render, numbered_batches(windows, self.batch_frames), self.render_threads):
                if self._interrupt:
                    return
                yield chunk
                bar.update(len(chunk.frames))
                if callback_on_frame_end:
                    callback_on_frame_end(self, chunk.start + len(chunk.frames) - 1, source.frames)

    def __call__(
        self,
        audio: AudioInput,
        sampling_rate: int | None = None,
        *,
        generator: torch.Generator | None = None,
        temperature: float = 1.0,
        pose: str | np.ndarray = "natural",
        blink: str | float = "natural",
        background: Background = None,
        size: int | None = None,
        output_type: str = "np",
        callback_on_frame_end: Callback | None = None,
        return_dict: bool = True,
    ) -> GeneFacePipelineOutput | tuple[Any, ...]:
        """Make the frames of a talking portrait; for long audio use `stream`, which keeps no frames.

        Args:
            audio: A path, bytes, or an array with its `sampling_rate`.
            generator: Source of the seed; the same seed on the same device gives the same result.
            temperature: Scale of the prior's noise: 0 is the most likely motion, 1 natural variety.
            pose: "natural" head motion, "still", or [N, 3, 4] head to camera (the last is held).
            blink: "natural", "none", or blinks a minute.
            background: A picture's path, "#rrggbb", or uint8 [H, W, 3]; "transparent" gives frames with opacity; the
                person's own if None.
            size: Pixels a side; the renderer's own if None.
            output_type: "np", "pt" or "pil"; see `GeneFacePipelineOutput`.
            callback_on_frame_end: Called with (pipeline, frame number, total) after each few frames.
            return_dict: A tuple if False.

        Raises:
            InputError: for audio or settings that cannot be used.
        """
        if output_type not in ("np", "pt", "pil"):
            raise InputError(f"output_type is {output_type!r}; it must be np, pt or pil")
        with open_audio(audio, sampling_rate) as source:
            chunks = list(
                self.stream(
                    source,
                    generator=generator,
                    temperature=temperature,
                    pose=pose,
                    blink=blink,
                    background=background,
                    size=size,
                    callback_on_frame_end=callback_on_frame_end,
                )
            )
            side = size or self.renderer.size
            channels = chunks[0].frames.shape[-1] if chunks else 3
            none = np.zeros((0, side, side, channels), np.uint8)
            frames = np.concatenate([none, *(chunk.frames for chunk in chunks)])
            landmarks = np.concatenate([np.zeros((0, 68, 3), np.float32), *(chunk.landmarks for chunk in chunks)])
            samples = source.read(0, source.samples)
        output = GeneFacePipelineOutput(
            frames=as_type(frames, output_type),
            audio=samples,
            sampling_rate=SAMPLING_RATE,
            fps=FPS,
            landmarks=landmarks,
        )
        return output if return_dict else output.to_tuple()

    def prepare_poses(self, pose: str | np.ndarray, start: int, count: int) -> torch.Tensor:
        """Head poses [count, 3, 4] of frames from `start` on."""
        scene = self.renderer.scene
        if isinstance(pose, str):
            return scene.poses(start, start + count) if pose == "natural" else scene.reference_pose.repeat(count, 1, 1)
        index = np.minimum(np.arange(start, start + count), len(pose) - 1)
        return torch.as_tensor(np.asarray(pose)[index]).to(scene.reference_pose)


def default_device() -> torch.device:
    """CUDA, then Apple's MPS, then the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def _seed(generator: torch.Generator | None) -> int:
    device = generator.device if generator is not None else None
    return int(torch.randint(2**31, (1,), generator=generator, device=device))
