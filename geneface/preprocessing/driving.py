"""The head motion of a driving video, for another person: tracked as a training video is, carried over as far as the
person's own video shows that person."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from geneface.errors import InputError
from geneface.face.crop import roll
from geneface.face.landmarks import Face
from geneface.hub import assets
from geneface.media.resample import SteadyVideo
from geneface.motion.face_motion import Person
from geneface.preprocessing.scan import refuse_lying
from geneface.renderers.scene import mean_pose
from geneface.utils.stopping import StopToken
from geneface.utils.units import FPS

LONGEST = 60 * FPS
"""Frames that are looked at; a longer video is used up to there."""
SHORTEST = FPS
SIDE = 640
"""Faces are tracked in pictures no larger than this."""
LEAST_SEEN = 0.6
REACH = 1.25
"""Of a person's own motion, how far it may go."""
LEAST_TURN, LEAST_SHIFT = 0.06, 0.6
"""Radians and cm that are allowed to everybody."""


def track_head(
    video: str | Path,
    *,
    assets_folder: str | Path | None = None,
    on_frame: Callable[[int, int], None] | None = None,
    stop: StopToken | None = None,
) -> torch.Tensor:
    """Head poses [T, 3, 4], head to camera, of the one person in a video.

    Raises `InputError` if no head can be followed, or if what that needs is not installed, and `Stopped`.
    """
    from geneface.face.face_model import FaceModel
    from geneface.face.fit_problem import SurfacePoints
    from geneface.face.landmarks import LandmarkDetector, expression_from_blendshapes, nearest_valid
    from geneface.face.tracking import Observation, track_face

    faces: list[Face | None] = []
    model = FaceModel.load(assets.get_asset(assets.FACE_MODEL, assets_folder))
    landmarker = assets.get_asset(assets.FACE_LANDMARKER, assets_folder)
    with SteadyVideo(video) as moments, LandmarkDetector(landmarker) as detector:
        for moment in moments:
            if moment.index >= LONGEST:
                break
            if stop is not None:
                stop.check()
            picture = moments.picture(moment, SIDE)
            faces.append(detector.follow(picture))
            if on_frame is not None:
                on_frame(len(faces), LONGEST)
    valid = np.array([face is not None for face in faces], bool)
    if len(valid) < SHORTEST:
        raise InputError(f"{video} is {len(valid) / FPS:.1f} s long; give at least {SHORTEST // FPS} s of head motion")
    if valid.mean() < LEAST_SEEN:
        raise InputError(f"a face is to be seen in only {valid.mean():.0%} of {video}; give one of a single person")
    refuse_lying([roll(face.points[LandmarkDetector.order_68]) for face in faces if face], Path(video))
    rows = nearest_valid(valid)
    height, width = picture.shape[:2]
    side = max(height, width)
    middle = (np.array([side, side]) - (width, height)) / 2
    points = np.stack([faces[row].points[:, :2] for row in rows]) + middle
    scores = np.stack([faces[row].blendshapes for row in rows])
    start = expression_from_blendshapes(scores, model.expression_names)
    observation = Observation(
        SurfacePoints.of(model), points, np.arange(len(rows)), LandmarkDetector.order_68, start, valid
    )
    return track_face(observation, len(model.identity_basis), side, range(len(rows))).pose


def drive(person: Person, pose: torch.Tensor, frames: int) -> np.ndarray:
    """Head poses [frames, 3, 4] of a person that move about its mean pose as `pose` [T, 3, 4] does about its own.

    Motion beyond the person's own is held back smoothly. A track that is too short goes back and forth.
    """
    from scipy.spatial.transform import Rotation

    reference = person.reference_pose.double().cpu()
    turn, shift = _relative(pose.double(), mean_pose(pose.double()), reference)
    shown = person.shown_range.double().cpu().numpy()
    turn = _held(turn, np.maximum(REACH * shown[:3], LEAST_TURN))
    shift = _held(shift, np.maximum(REACH * shown[3:], LEAST_SHIFT))
    rotation = Rotation.from_rotvec(turn).as_matrix() @ reference[:, :3].numpy()
    poses = np.concatenate([rotation, (shift + reference[:, 3].numpy())[:, :, None]], axis=2)
    there_and_back = np.concatenate([poses, poses[-2:0:-1]]) if len(poses) > 1 else poses
    return there_and_back[np.arange(frames) % len(there_and_back)].astype(np.float32)


def _relative(pose: torch.Tensor, mean: torch.Tensor, reference: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Turns [T, 3] as vectors and shifts [T, 3] in cm from `mean`, in the camera's frame at the reference's depth."""
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_matrix((pose[:, :, :3] @ mean[:, :3].T).numpy()).as_rotvec()
    shift = (pose[:, :, 3] - mean[:, 3]).numpy()
    # Two cameras of different focal length see the same size at different depths.
    shift[:, 2] *= float(reference[2, 3] / mean[2, 3])
    return turn, shift


def _held(values: np.ndarray, limit: np.ndarray) -> np.ndarray:
    return limit * np.tanh(values / limit)
