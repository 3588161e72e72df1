"""Eq. 7-8 against values worked out by hand."""

import math

import torch

from geneface.rendering.volume import compositing_weights, depth_spread, sample_depths


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
