import torch

from geneface.renderers.torso import BODY_SIZE, POSE_SIZE, TorsoMotion

FRAMES, CELLS = 120, 16


def motion() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A torso in the lower half that follows the head, and breathes."""
    generator = torch.Generator().manual_seed(0)
    turn = torch.randn(FRAMES, POSE_SIZE, generator=generator)
    breath = torch.sin(torch.arange(FRAMES) / 7)
    y = torch.linspace(-1, 1, CELLS)
    flow = torch.zeros(FRAMES, CELLS, CELLS, 2)
    flow[..., 0] = 0.02 * turn[:, 3, None, None]
    flow[..., 1] = 0.01 * breath[:, None, None] * (1 - y)[:, None]
    weight = (y > 0).float()[:, None].expand(FRAMES, CELLS, CELLS)
    flow[weight == 0] = 0.3 * torch.randn(int((weight == 0).sum()), 2, generator=generator)
    return flow, weight, turn


def test_pose_and_body_explain_the_flow() -> None:
    flow, weight, turn = motion()
    torso = TorsoMotion()
    torso.fit(flow[:100], weight[:100], turn[:100])
    seen = flow.permute(0, 3, 1, 2)[100:, :, CELLS // 2 :] - torso.mean[:, CELLS // 2 :]

    def error(body: torch.Tensor) -> float:
        with torch.no_grad():
            told = torso(turn[100:], body)[:, :, CELLS // 2 :]
        return float((told - seen).square().mean().sqrt())

    alone = error(torch.zeros(20, BODY_SIZE))
    known = error(torso.body(flow, weight, turn)[100:])
    assert known < 0.2 * alone and alone < 0.01


def test_what_is_not_seen_moves_as_what_is_beside_it() -> None:
    flow, weight, turn = motion()
    torso = TorsoMotion()
    torso.fit(flow, weight, turn)
    edge, beyond = torso.by_pose[3, 0, CELLS // 2], torso.by_pose[3, 0, 2]
    assert torch.allclose(edge, torch.full_like(edge, 0.02), atol=2e-3)
    assert torch.allclose(beyond, edge, atol=2e-3)


def test_a_torso_that_is_never_seen_stays_where_it_is() -> None:
    flow, weight, turn = motion()
    torso = TorsoMotion()
    torso.fit(flow, torch.zeros_like(weight), turn)
    assert torch.isfinite(torso(turn, torso.body(flow, torch.zeros_like(weight), turn))).all()
    assert float(torso(turn, torch.zeros(FRAMES, BODY_SIZE)).abs().max()) < 1e-3
