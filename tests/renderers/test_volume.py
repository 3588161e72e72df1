"""Eq. 7-8 against values worked out by hand."""

import math

import torch

from geneface.renderers.volume import (
    box_range,
    compositing_weights,
    depth_spread,
    part_edges,
    resample_depths,
    sample_depths,
)


def test_weights_of_two_samples():
    # sigma * step = ln 2 halves the light, ln 4 quarters it.
    weights = compositing_weights(torch.tensor([math.log(2), math.log(4)]), torch.tensor([1.0]))
    assert torch.allclose(weights, torch.tensor([0.5, 0.5 * 0.75]))


def test_homogeneous_medium_follows_beer_lambert():
    depths, step = sample_depths(torch.tensor([2.0]), torch.tensor([5.0]), 300)
    opacity = compositing_weights(torch.full_like(depths, 0.7), step).sum(-1)
    assert torch.allclose(opacity, torch.tensor([1 - math.exp(-0.7 * 3)]), atol=1e-5)


def test_colour_of_a_red_layer_before_a_blue_wall():
    density = torch.tensor([0.0, math.log(2) / 0.5, 1e4])
    weights = compositing_weights(density, torch.tensor([0.5]))
    colours = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    assert torch.allclose(weights @ colours, torch.tensor([0.5, 0.0, 0.5]), atol=1e-6)


def test_samples_lie_in_the_middle_of_their_parts():
    depths, step = sample_depths(torch.tensor([1.0, 0.0]), torch.tensor([3.0, 0.0]), 4)
    assert torch.allclose(depths[0], torch.tensor([1.25, 1.75, 2.25, 2.75]))
    assert step[:, 0].tolist() == [0.5, 0.0]
    assert depths[1].abs().max() == 0
    jittered, _ = sample_depths(torch.tensor([1.0]), torch.tensor([3.0]), 4, torch.tensor([[0.0, 0.5, 0.0, 0.98]]))
    assert torch.allclose(jittered[0], torch.tensor([1.0, 1.75, 2.0, 2.99]))


def test_spread_is_the_variance_of_depth():
    weights = torch.tensor([[0.0, 1.0, 0.0], [0.5, 0.0, 0.5], [0.0, 0.0, 0.0]])
    spread = depth_spread(weights, torch.tensor([[2.0], [2.0], [2.0]]))
    assert torch.allclose(spread, torch.tensor([0.0, 4.0, 0.0]))


BOX = torch.tensor([[-1.0, -2.0, -3.0], [1.0, 2.0, 3.0]])


def test_rays_enter_and_leave_a_box():
    origin = torch.tensor([0.0, 0.0, 10.0])
    directions = torch.tensor([[0.0, 0, -1], [0.6, 0, -0.8], [0.1, 0, -1], [0.0, 0, 1]])
    near, far = box_range(origin, directions, BOX)
    # Straight through; past it; in by the front and out by the right side; away from it.
    assert torch.allclose(near[[0, 2]], torch.tensor([7.0, 7.0])) and torch.allclose(
        far[[0, 2]], torch.tensor([13.0, 10.0])
    )
    assert torch.equal(near[[1, 3]], far[[1, 3]])


def test_a_ray_that_starts_in_a_box_begins_there():
    near, far = box_range(torch.zeros(3), torch.tensor([0.0, 1.0, 0.0]), BOX)
    assert (float(near), float(far)) == (0, 2)


def test_parts_meet_halfway_between_samples():
    edges = part_edges(torch.tensor([1.0, 2.0, 6.0]), torch.tensor(0.5), torch.tensor(7.0))
    assert edges.tolist() == [0.5, 1.5, 4.0, 7.0]


def test_fine_samples_are_where_the_weights_are():
    edges = torch.tensor([0.0, 1.0, 2.0, 4.0])
    weights = torch.tensor([[0.0, 0.25, 0.75], [0.0, 1.0, 0.0]])
    depths = resample_depths(edges.expand(2, 4), weights, 8)
    # A quarter of 8 samples in [1, 2], three quarters in [2, 4], each in the middle of its share.
    assert torch.allclose(depths[0], torch.tensor([1.25, 1.75, *(2 + (torch.arange(6) + 0.5) / 3)]), atol=1e-3)
    assert torch.allclose(depths[1], 1 + (torch.arange(8) + 0.5) / 8, atol=1e-3)
    jittered = resample_depths(edges.expand(2, 4), weights, 8, torch.rand(2, 8))
    assert (jittered.diff(dim=-1) >= 0).all() and not torch.equal(jittered, depths)


def test_a_ray_that_sees_nothing_is_sampled_evenly():
    depths = resample_depths(torch.tensor([0.0, 1.0, 2.0]), torch.zeros(2), 4)
    assert torch.allclose(depths, torch.tensor([0.25, 0.75, 1.25, 1.75]))
