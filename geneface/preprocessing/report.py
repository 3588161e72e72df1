"""What went well and what did not when a video was preprocessed: figures, warnings in words, the contact sheet."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from geneface import metrics
from geneface.bundles.component import read_tensors
from geneface.datasets.rows import map_rows
from geneface.face.crop import SIZE
from geneface.face.face_model import FaceModel
from geneface.face.parsing import HEAD, TORSO
from geneface.media.audio import open_audio
from geneface.media.image import read_image
from geneface.media.resample import SteadyVideo
from geneface.media.video import VideoReader
from geneface.preprocessing.contact_sheet import COLUMNS, Sheet, draw_sheet, face_polygons, shade_mesh
from geneface.preprocessing.scan import LONGEST_SIDE, Scan
from geneface.utils.files import read_json
from geneface.utils.units import FPS, SAMPLES_PER_FRAME

MOST_LOST, MOST_MISSED, LEAST_IN_STEP, LEAST_LOUD, MOST_UNREST, MOST_TURNED, MOST_ENLARGED = (
    0.02, 3.0, 0.05, -40.0, 12.0, 45.0, 1.5,
)  # fmt: skip
"""Of `lost`, `fit_error`, `sound_r`, `loudness`, `scene_unrest`, `turned`, `enlarged`: beyond them is warned."""


@dataclass(frozen=True)
class Figures:
    """Measured on the finished parts of a dataset."""

    seconds: float
    lost: float
    """Share of the frames without a face."""
    fit_error: float
    """Mean distance in pixels of the face model's 51 inner landmarks from the detected ones."""
    turned: float
    """Largest turn of the head away from its mean, degrees."""
    sound_r: float
    """Pearson's r of mouth opening and loudness, the best of three lags."""
    loudness: float
    """Level of speech in dB of full scale."""
    blinks: int
    head_share: float
    torso_share: float
    scene_seen: float
    """Share of the background that was seen in some picture."""
    scene_unrest: float
    """How much the background moves, in levels of 255."""
    enlarged: float
    """Pixels of the dataset for one of the source."""


def measure(work: Path, scan: Scan, face: FaceModel, loudness: np.ndarray) -> Figures:
    tracks, masks = read_tensors(work / "tracks.safetensors", "run"), map_rows(work / "masks.safetensors")
    valid = read_tensors(work / "landmarks.safetensors", "run")["valid"]
    scene = read_json(work / "background.json", "run")
    rotation = tracks["pose"][:, :, :3].double().numpy()
    u, _, v = np.linalg.svd(rotation.mean(0))
    shut = (tracks["blink"] > 0.5).int()
    opening = metrics.lm3d_opening(face.lm3d(tracks["expression"]).numpy(), face.mean_landmarks.numpy())
    some = masks[:: max(len(masks) // 100, 1)]
    return Figures(
        seconds=len(valid) / FPS,
        lost=float(1 - valid.float().mean()),
        fit_error=float(tracks["fit_error"].mean()),
        turned=float(metrics.rotation_error(np.broadcast_to(u @ v, rotation.shape), rotation).max()),
        sound_r=metrics.correlation(loudness, opening),
        loudness=float(20 * np.log10(np.percentile(loudness, 90) + 1e-9)),
        blinks=int((shut.diff() == 1).sum()),
        head_share=float((some == HEAD).mean()),
        torso_share=float((some == TORSO).mean()),
        scene_seen=float(scene["seen"]),
        scene_unrest=float(scene["unrest"]),
        enlarged=SIZE / scan.crop.side,
    )


def find_warnings(figures: Figures, scan: Scan) -> list[str]:
    """What is likely to spoil the result, and what to do about it; the worst first."""
    told = list(scan.notes)
    if scan.cuts:
        at = ", ".join(f"{cut / FPS:.1f}" for cut in scan.cuts[:5]) + (" ..." if len(scan.cuts) > 5 else "")
        told.append(
            f"the video is cut at {at} s: only its longest shot, {scan.first / FPS:.1f} to "
            f"{(scan.first + scan.frames) / FPS:.1f} s, is used"
        )
    if figures.lost > MOST_LOST:
        told.append(f"no face was found in {figures.lost:.0%} of the frames: cut these parts out of the video")
    if figures.fit_error > MOST_MISSED:
        told.append(
            f"the face model misses the landmarks by {figures.fit_error:.1f} pixels: look at the mesh below; hands or "
            "hair before the face may be the reason"
        )
    if figures.sound_r < LEAST_IN_STEP:
        told.append("the mouth does not open with the sound: is this the voice of the person, and in step?")
    if figures.loudness < LEAST_LOUD:
        told.append("the sound is very quiet: speech may be lost in noise")
    if figures.scene_unrest > MOST_UNREST:
        told.append("the background moves: use a camera that stands still, or the background will be blurred")
    if figures.head_share < 0.05 or figures.torso_share < 0.01:
        told.append("head or torso were hardly found: look at the masks below")
    if figures.turned > MOST_TURNED:
        told.append(f"the head turns by up to {figures.turned:.0f} degrees: what is turned away is tracked badly")
    if figures.enlarged > MOST_ENLARGED:
        told.append(f"the face is small and was enlarged {figures.enlarged:.1f} times: the result will be soft")
    if figures.seconds < 60:
        told.append(f"{figures.seconds:.0f} s are little to learn a person from: some minutes give a better mouth")
    return told


def write_sheet(video: Path, work: Path, scan: Scan, face: FaceModel, path: Path) -> dict[str, object]:
    """Draw the contact sheet; returns `figures` and `warnings` for the manifest."""
    loudness = sound_level(work / "audio.flac", scan.frames)
    figures = measure(work, scan, face, loudness)
    heard = read_json(work / "sound.json", "run")
    warnings = list(dict.fromkeys([*find_warnings(figures, scan), *heard["notes"]]))
    tracks, masks = read_tensors(work / "tracks.safetensors", "run"), map_rows(work / "masks.safetensors")
    chosen = choose_frames(tracks)
    vertices = face.mesh(tracks["identity"], tracks["expression"][chosen])
    mesh = shade_mesh(vertices, tracks["pose"][chosen], tracks["intrinsics"], face_polygons(face))
    points = map_rows(work / "points")
    first = _first_picture(video, scan.first)
    draw_sheet(
        Sheet(
            title=f"{video.name}: {figures.seconds:.1f} s",
            figures=[
                f"landmarks: {figures.fit_error:.1f} pixels from the face model; lost in {figures.lost:.1%} of frames",
                f"head: turns by up to {figures.turned:.0f} degrees; {figures.blinks} blinks",
                heard["said"],
                f"background: {figures.scene_seen:.0%} of the picture seen, moves by {figures.scene_unrest:.1f}/255",
                "picture: taken as it is"
                if scan.as_it_is
                else f"picture: {scan.crop.side:.0f} of {scan.width} x {scan.height} source pixels, scaled to {SIZE}",
            ],
            warnings=warnings,
            source=first,
            crop=scan.crop.scaled(first.shape[1] / scan.width),
            background=read_image(work / "background.png"),
            chosen=chosen,
            pictures=_pictures(work, chosen),
            landmarks=points[chosen],
            vertices=mesh[0],
            shades=mesh[1],
            polygons=mesh[2],
            masks=[masks[index] for index in chosen],
            opening=metrics.lm3d_opening(face.lm3d(tracks["expression"]).numpy(), face.mean_landmarks.numpy()),
            loudness=loudness,
        ),
        path,
    )
    return {"figures": asdict(figures), "warnings": warnings}


def choose_frames(tracks: dict[str, torch.Tensor]) -> list[int]:
    """Frames that show what can go wrong, in the order of time.

    The head turned most to either side, the eyes most shut, the mouth widest open, the worst fit, and a usual one.
    """
    turn = tracks["pose"][:, 0, 2]
    lips = tracks["lm3d"][:, 66] - tracks["lm3d"][:, 62]
    usual = (turn - turn.median()).abs() + tracks["blink"] + tracks["fit_error"] / tracks["fit_error"].median()
    wanted = [turn.argmin(), turn.argmax(), tracks["blink"].argmax(), lips.norm(dim=-1).argmax()]
    wanted += [tracks["fit_error"].argmax(), usual.argmin()]
    chosen = {int(index) for index in wanted}
    for index in np.linspace(0, len(turn) - 1, COLUMNS).astype(int).tolist():
        if len(chosen) < COLUMNS:
            chosen.add(index)
    return sorted(chosen)


def sound_level(path: Path, frames: int) -> np.ndarray:
    """Root mean square of the sound in each frame [T], read second by second."""
    levels = []
    with open_audio(path) as sound:
        for start in range(0, frames, FPS):
            stop = min(start + FPS, frames)
            samples = sound.read(start * SAMPLES_PER_FRAME, stop * SAMPLES_PER_FRAME)
            levels.append(np.sqrt((samples.reshape(-1, SAMPLES_PER_FRAME) ** 2).mean(1)))
    return np.concatenate(levels)


def _pictures(work: Path, chosen: list[int]) -> list[np.ndarray]:
    with VideoReader(work / "frames.mp4") as reader:
        return [picture for index, picture in enumerate(reader) if index in chosen]


def _first_picture(video: Path, index: int) -> np.ndarray:
    with SteadyVideo(video) as steady:
        return next(steady.picture(moment, LONGEST_SIDE) for moment in steady if moment.index == index)
