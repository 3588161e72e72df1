"""The generator of synthetic persons: each actor of the cast, small."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from geneface.datasets.person import PersonDataset
from geneface.face.articulation import INDEX
from geneface.face.face_model import FaceModel

pytest.importorskip("moderngl", reason="the generator needs moderngl")

from examples.synthetic_person.actor import Manner, perform
from examples.synthetic_person.camera import FRONTAL
from examples.synthetic_person.cast import CAST
from examples.synthetic_person.dataset import write_dataset
from examples.synthetic_person.identity import choose_identity
from examples.synthetic_person.parts import ActorMesh
from examples.synthetic_person.renderer import Renderer

PHONES = [("sil", 0.0, 0.4), ("b", 0.4, 0.5), ("ɑ", 0.5, 0.8), ("sil", 0.8, 40.0)]
FRAMES = 1000


def _speech() -> np.ndarray:
    samples = np.zeros(FRAMES * 640, np.float32)
    samples[6400:12800] = 0.3 * np.sin(np.arange(6400) * 0.05)
    return samples


@pytest.mark.parametrize("name", sorted(CAST))
def test_performance_turns_breathes_and_rests_its_mouth(name: str) -> None:
    manner = CAST[name].manner
    performance, again = (perform(_speech(), PHONES, FRAMES, manner, seed=5) for _ in range(2))
    assert np.array_equal(performance.expression, again.expression)
    turned = FRONTAL @ performance.head[:, :, :3]
    yaw = np.degrees(np.arctan2(turned[:, 0, 2], turned[:, 2, 2]))
    assert 10 < yaw.max() < 22 and -22 < yaw.min() < -10
    assert np.abs(np.diff(yaw)).max() < 2.0
    breath = performance.torso[:, 1, 3]
    assert 0.1 < breath.max() - breath.min() < 1.0
    assert performance.expression[14:20, INDEX["jawOpen"]].max() > 0.1
    assert performance.expression[50:, INDEX["jawOpen"]].max() == 0.0
    assert performance.blink.max() > 0.9


def test_glances_survive_eye_contact() -> None:
    performance = perform(_speech(), PHONES, FRAMES, Manner(), seed=5)
    turned = FRONTAL @ performance.head[:, :, :3]
    yaw = np.degrees(np.arctan2(turned[:, 0, 2], turned[:, 2, 2]))
    left = performance.expression[:, INDEX["eyeLookOut_L"]] - performance.expression[:, INDEX["eyeLookIn_L"]]
    assert np.corrcoef(left, yaw)[0, 1] < -0.7
    assert np.abs(np.diff(left)).max() > 0.05


@pytest.mark.real_data
def test_traits_change_what_they_name(shared: Path) -> None:
    model = FaceModel.load(shared / "models/ict_face_model.safetensors")

    def jaw_and_nose(traits: dict[str, float]) -> np.ndarray:
        identity = choose_identity(model, 3, traits=traits)
        basis = model.identity_basis[:, model.landmark_vertices].numpy()
        points = model.mean_landmarks.numpy() + np.tensordot(identity, basis, 1)
        return np.array([np.mean(points[[12, 11], 0] - points[[4, 5], 0]), points[35, 0] - points[31, 0]])

    change = jaw_and_nose({"jaw_width": -0.5}) - jaw_and_nose({})
    # Less than asked for: it is weighed against staying near the random face.
    assert -0.55 < change[0] < -0.3
    assert abs(change[1]) < 0.1


@pytest.mark.real_data
@pytest.mark.parametrize("name", sorted(CAST))
def test_actor_becomes_a_dataset(name: str, shared: Path, tmp_path: Path) -> None:
    recipe = CAST[name]
    recipe = replace(recipe, hair=replace(recipe.hair, count=1500, stubble=0.1 * recipe.hair.stubble))
    model = FaceModel.load(shared / "models/ict_face_model.safetensors")
    identity = choose_identity(model, recipe.identity, recipe.character, recipe.traits)
    renderer = Renderer(ActorMesh(model, identity, recipe.neck), recipe, samples=1, texture=128)
    performance = perform(_speech(), PHONES, 6, recipe.manner, recipe.seed)
    write_dataset(tmp_path / name, renderer, performance, _speech(), {"actor": name})
    dataset = PersonDataset(tmp_path / name)
    assert dataset.manifest["settings"] == {"actor": name}

    picture = renderer.draw(performance.expression[0], performance.head[0], performance.torso[0])
    empty = renderer.draw(performance.expression[0], performance.head[0], performance.torso[0], person=False)
    again = renderer.draw(performance.expression[0], performance.head[0], performance.torso[0])
    assert np.array_equal(picture.rgb, again.rgb)
    shares = np.bincount(picture.mask.reshape(-1), minlength=3) / picture.mask.size
    assert 0.15 < shares[1] < 0.5 and 0.1 < shares[2] < 0.4
    background = np.kron(picture.mask == 0, np.ones((4, 4), bool))
    difference = np.abs(picture.rgb.astype(int) - empty.rgb).mean(-1)
    assert np.median(difference[background]) < 1 and np.median(difference[~background]) > 10
