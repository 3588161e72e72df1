import torch

from geneface.renderers.condition import LandmarkCondition, NormalisedLandmarks, neighbour_windows, pose_vector
from geneface.renderers.scene import Scene, mean_pose


def turned(degrees: float, shift: float = 0.0) -> torch.Tensor:
    angle = torch.deg2rad(torch.tensor(degrees))
    c, s = torch.cos(angle), torch.sin(angle)
    rotation = torch.tensor([[c, 0, s], [0, 1, 0], [-s, 0, c]]) @ torch.diag(torch.tensor([1.0, -1, -1]))
    return torch.cat([rotation, torch.tensor([[shift], [0.0], [100.0]])], dim=1)


def test_neighbours_are_the_frames_before_and_after():
    lm3d = torch.arange(4.0)[:, None, None].expand(4, 68, 3)
    assert neighbour_windows(lm3d)[:, :, 0, 0].tolist() == [[0, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 3]]
    assert neighbour_windows(lm3d[:1]).shape == (1, 3, 68, 3)


def test_landmarks_are_normalised_point_by_point():
    lm3d = torch.randn(500, 68, 3, generator=torch.Generator().manual_seed(0))
    lm3d = 3 + lm3d * torch.linspace(0.1, 2, 68)[:, None]
    lm3d[:, 0] = 7.0
    normalised = NormalisedLandmarks()
    normalised.fit(lm3d)
    out = normalised(lm3d)
    assert out.shape == (500, 204) and out.mean(0).abs().max() < 1e-4
    assert torch.allclose(out[:, 3:].std(0), torch.ones(201), atol=1e-4) and out[:, :3].abs().max() < 1e-4
    condition = LandmarkCondition(4)
    condition.fit(lm3d)
    assert torch.equal(condition.mean, normalised.mean) and torch.equal(condition.std, normalised.std)


def test_condition_is_normalised_and_finds_the_motion():
    generator = torch.Generator().manual_seed(0)
    strengths = 2 * torch.rand(1000, 3, generator=generator)
    shapes = torch.randn(3, 68, 3, generator=generator)
    lm3d = 5 + torch.einsum("tk,kpc->tpc", strengths, shapes)
    condition = LandmarkCondition(3)
    condition.fit(lm3d, torch.ones(68))
    components = condition(lm3d)
    assert torch.allclose(components.mean(0), torch.zeros(3), atol=0.01)
    assert torch.allclose(components.std(0), torch.ones(3), atol=0.01)
    inside = (components.abs() < condition.limit).all(1)
    assert inside.float().mean() > 0.95
    strengths = (strengths - strengths.mean(0))[inside]
    explained = torch.linalg.lstsq(components[inside], strengths).solution
    assert torch.allclose(components[inside] @ explained, strengths, atol=1e-2)


def test_what_is_smaller_than_the_noise_counts_little():
    generator = torch.Generator().manual_seed(0)
    shapes = torch.linalg.qr(torch.randn(204, 2, generator=generator))[0].T.reshape(2, 68, 3)
    strengths = torch.randn(500, 2, generator=generator) * torch.tensor([10.0, 0.01])
    lm3d = torch.einsum("tk,kpc->tpc", strengths, shapes)
    condition = LandmarkCondition(2)
    condition.fit(lm3d, torch.ones(68), floor=1.0)
    assert condition(lm3d)[:, 0].std() > 0.9 and condition(lm3d)[:, 1].std() < 0.5


def test_motion_beyond_the_persons_own_is_held_back():
    lm3d = torch.randn(200, 68, 3, generator=torch.Generator().manual_seed(0))
    condition = LandmarkCondition(4)
    condition.fit(lm3d, torch.ones(68))
    assert torch.equal(condition(100 * lm3d).abs().amax(0), condition.limit)


def test_points_that_never_move_add_no_noise():
    lm3d = torch.zeros(50, 68, 3)
    lm3d[:, 60, 1] = torch.linspace(-1, 1, 50)
    condition = LandmarkCondition(1)
    condition.fit(lm3d, torch.ones(68))
    shaken = lm3d.clone()
    shaken[:, :48] += 0.001
    assert (condition(shaken) - condition(lm3d)).abs().max() < 1e-3


def test_pose_vector_measures_angle_and_shift():
    vector = pose_vector(torch.stack([turned(0), turned(4, shift=2.0)]), turned(0), scale=5.0)
    assert torch.allclose(vector[0], torch.zeros(6), atol=1e-6)
    expected = torch.tensor([0.0, 5 * torch.sin(torch.deg2rad(torch.tensor(4.0))), 0, 2 / 5, 0, 0])
    assert torch.allclose(vector[1], expected, atol=1e-5)


def test_mean_pose_is_a_rotation_in_the_middle():
    mean = mean_pose(torch.stack([turned(-10, -1), turned(20, 3)]))
    assert torch.allclose(mean, turned(5, 1), atol=1e-5)


def test_pose_track_never_jumps_and_never_ends():
    scene = Scene(size=8, pose_frames=30)
    poses = torch.stack([turned(float(degrees)) for degrees in range(7)])
    zeros = torch.zeros(7, 68, 3)
    scene.fit(zeros, poses, torch.zeros(7), torch.eye(3), torch.zeros(3, 8, 8, dtype=torch.uint8))
    track = scene.pose_track.repeat(40, 1, 1)[:1000]
    step = (poses[1] - poses[0]).abs().max()
    assert len(track) == 1000 and (track[1:] - track[:-1]).abs().max() <= step * 1.01


def test_blink_shift_is_closed_minus_open_at_the_eyes():
    scene = Scene(size=8, pose_frames=4)
    blink = torch.tensor([0.0, 0.0, 1.0, 1.0])
    lm3d = torch.zeros(4, 68, 3)
    lm3d[2:, 37:39, 1] = -0.5
    lm3d[2:, 60] = 3.0
    scene.fit(lm3d, turned(0).repeat(4, 1, 1), blink, torch.eye(3), torch.zeros(3, 8, 8, dtype=torch.uint8))
    assert scene.blink_shift[37, 1] == -0.5 and scene.blink_shift[60].abs().max() == 0
