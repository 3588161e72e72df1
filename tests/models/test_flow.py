import pytest
import torch

from geneface.models.flow import ConditionalFlow


@pytest.fixture
def flow() -> ConditionalFlow:
    torch.manual_seed(0)
    flow = ConditionalFlow(4, 6, 8, kernel_size=3, layers=4, coupling_layers=2)
    for coupling in flow.couplings:  # a trained flow: untrained couplings are the identity
        torch.nn.init.normal_(coupling.post.weight, std=0.5)
        torch.nn.init.normal_(coupling.post.bias, std=0.5)
    return flow.eval()


def test_inverse_undoes_forward(flow: ConditionalFlow) -> None:
    latent, condition = torch.randn(2, 4, 9), torch.randn(2, 6, 9)
    gaussian, _ = flow(latent, condition)
    assert (gaussian - latent).abs().max() > 0.5
    torch.testing.assert_close(flow.inverse(gaussian, condition), latent, atol=1e-5, rtol=0)
    torch.testing.assert_close(flow(flow.inverse(latent, condition), condition)[0], latent, atol=1e-5, rtol=0)


def test_log_determinant_is_that_of_the_jacobian(flow: ConditionalFlow) -> None:
    flow.double()
    latent, condition = torch.randn(1, 4, 5).double(), torch.randn(1, 6, 5).double()
    jacobian = torch.autograd.functional.jacobian(lambda x: flow(x, condition)[0], latent).reshape(20, 20)
    expected = torch.linalg.slogdet(jacobian).logabsdet
    log_det = flow(latent, condition)[1]
    assert log_det.abs() > 0.1
    torch.testing.assert_close(log_det[0], expected, atol=1e-8, rtol=0)


def test_every_channel_is_moved(flow: ConditionalFlow) -> None:
    latent, condition = torch.randn(1, 4, 5), torch.randn(1, 6, 5)
    moved = flow(latent, condition)[0] - latent
    assert (moved.abs().amax(dim=(0, 2)) > 0.05).all()


def test_reach_is_the_stated_radius(flow: ConditionalFlow) -> None:
    flow.double()
    latent, condition = torch.randn(1, 4, 60).double(), torch.randn(1, 6, 60).double()
    other = latent.clone()
    other[..., 30] += 1.0
    changed = (flow.inverse(latent, condition) != flow.inverse(other, condition)).any(dim=1)[0].nonzero()[:, 0]
    assert changed.min() == 30 - flow.radius and changed.max() == 30 + flow.radius


def test_odd_latent_is_refused() -> None:
    with pytest.raises(ValueError, match="even"):
        ConditionalFlow(5, 6, 8, 3, 1, 1)
