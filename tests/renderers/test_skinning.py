import torch

from geneface.face.ibug68 import EYES, LIPS
from geneface.renderers.skinning import DEPTH, FACE_BOX, LandmarkSkinning


def face() -> LandmarkSkinning:
    """Landmarks on a plane, 0.6 cm and more apart; the lips where lips are."""
    skinning = LandmarkSkinning()
    across = torch.linspace(-5, 5, 12)
    rows = torch.stack([across.repeat(6)[:68], torch.arange(68) // 12 * 2.0 - 1, torch.full((68,), 9.0)], dim=1)
    rows[LIPS] = torch.stack([torch.linspace(-2, 2, 20), torch.full((20,), -4.0), torch.full((20,), 10.5)], dim=1)
    for upper, lower in ((61, 67), (62, 66), (63, 65)):
        rows[upper] = torch.tensor([upper - 62.0, -3.95, 10.8])
        rows[lower] = torch.tensor([upper - 62.0, -4.05, 10.8])
    skinning.places.copy_(rows)
    return skinning


def back(skinning: LandmarkSkinning, moves: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Where points [N, 3] lie on the resting face."""
    return points + skinning.sample(skinning(moves), points.view(1, 1, -1, 3))[0, 0]


def test_a_resting_face_stays() -> None:
    skinning = face()
    assert skinning(torch.zeros(2, 68, 3)).abs().max() < 1e-5


def test_what_lies_at_a_landmark_goes_back_with_it() -> None:
    skinning, moves = face(), torch.zeros(1, 68, 3)
    moves[:, EYES, 1] = 0.8
    eyes = skinning.places[EYES]
    found = back(skinning, moves, eyes + moves[0, EYES])
    assert (found - eyes).norm(dim=1).mean() < 0.25 * 0.8
    behind = torch.tensor([[0.0, 3.0, FACE_BOX[0][2] - 2]])
    assert torch.equal(back(skinning, moves, behind), behind)


def test_the_inside_of_the_mouth_comes_from_behind_the_lips() -> None:
    skinning, moves = face(), torch.zeros(1, 68, 3)
    lower = [65, 66, 67]
    moves[:, lower, 1] = -1.6
    middle = torch.tensor([[0.0, -4.0 - 0.8, 10.8]])
    depth = 10.8 - back(skinning, moves, middle)[0, 2]
    assert 0.5 * DEPTH * 1.6 < depth < 1.2 * DEPTH * 1.6


def test_nearness_is_one_at_the_mouth_and_fades() -> None:
    skinning = face()
    box = torch.tensor([[-11.5, -17.0, -5.0], [11.5, 16.5, 14.5]])
    mouth, eye = skinning.places[LIPS].mean(0), skinning.places[36:42].mean(0)
    places = torch.stack([mouth, eye, torch.tensor([0.0, 16.0, 0.0])])
    near = skinning.nearness((places - box[0]) / (box[1] - box[0]) * 2 - 1, box)
    assert near[0, 0] > 0.99 and near[1, 1] > 0.99
    assert near[2].max() < 0.01
