"""The rows of the paper's Tables 3 and 5 as configurations, with the figures that the paper gives for them."""

from dataclasses import dataclass, field

MOTION = "hub_configs/embedded/train_motion_generator.json"
POST_NET = "hub_configs/embedded/train_post_net.json"
FAST = "hub_configs/embedded/train_renderer.json"
NERF = "hub_configs/paper/train_nerf.json"
OVERRIDES = "hub_configs/ablations"


@dataclass(frozen=True)
class Row:
    """A method of a table."""

    title: str
    published: dict[str, float] = field(default_factory=dict)
    """The paper's figures (Tables 1, 3 and 5), by the names in `PUBLISHED`."""


@dataclass(frozen=True)
class MotionRow(Row):
    """A motion generator, and how its motion becomes the person's."""

    config: str | None = None
    """Settings over those of the training; None for the paper's own method."""
    generator_of: str | None = None
    """The row whose generator is taken; its own if None."""
    adapter: str | None = "post_net"
    """As of `geneface.training.post_net`; None for generic motion as it is."""


@dataclass(frozen=True)
class RendererRow(Row):
    """A renderer of the person."""

    renderer: str = ""
    """Constructor arguments."""
    script: str = "renderer"
    """Of `geneface.training`: renderer or nerf."""


PUBLISHED = {
    "l2": "LM3D L2 error (Table 5)",
    "lmd": "LMD",
    "sync": "Sync",
    "sync_ood": "Sync (OOD)",
    "fid": "FID",
    "fid_ood": "FID (OOD)",
}


def _table_3(fid: float, lmd: float, sync: float, fid_ood: float, sync_ood: float, **more: float) -> dict[str, float]:
    return {"fid": fid, "lmd": lmd, "sync": sync, "fid_ood": fid_ood, "sync_ood": sync_ood, **more}


OURS = _table_3(22.88, 3.933, 6.987, 27.38, 6.212, l2=0.0371)
AD_NERF = _table_3(27.52, 4.199, 4.894, 35.69, 4.225)

ROWS: dict[str, Row] = {
    "geneface": MotionRow("GeneFace (VAE + flow, post-net)", OURS),
    "no_flow": MotionRow(
        "w/o prior flow (vanilla VAE)",
        _table_3(24.71, 4.063, 6.404, 29.55, 5.831, l2=0.0385),
        config=f"{OVERRIDES}/no_flow.json",
    ),
    "no_sync": MotionRow(
        "w/o sync-expert", _table_3(24.02, 4.151, 5.972, 30.77, 5.549), config=f"{OVERRIDES}/no_sync.json"
    ),
    "regression": MotionRow("regression (MSE)", {"l2": 0.0424, "lmd": 4.305}, config=f"{OVERRIDES}/regression.json"),
    "log_mel": MotionRow("log-mel in place of HuBERT (ours)", config=f"{OVERRIDES}/log_mel_features.json"),
    "no_post_net": MotionRow(
        "w/o post-net", _table_3(30.26, 4.532, 5.085, 35.58, 5.248), generator_of="geneface", adapter=None
    ),
    "fine_tune": MotionRow(
        "fine-tuning in place of the post-net",
        _table_3(25.75, 4.227, 6.875, 29.30, 5.966),
        generator_of="geneface",
        adapter="fine_tune",
    ),
    "fast": RendererRow("GeneFace (`fast`)", OURS, renderer="hub_configs/embedded/renderer.json"),
    "no_head_aware": RendererRow(
        "w/o head-aware (`fast`)",
        _table_3(26.34, 3.948, 6.899, 28.89, 6.167),
        renderer="hub_configs/embedded/renderer_unaware.json",
    ),
    "ad_nerf": RendererRow("AD-NeRF (in `fast`)", AD_NERF, renderer=f"{OVERRIDES}/ad_nerf.json"),
    "nerf": RendererRow("GeneFace (`nerf`)", OURS, renderer="hub_configs/paper/renderer.json", script="nerf"),
    "ad_nerf_paper": RendererRow(
        "AD-NeRF (in `nerf`)", AD_NERF, renderer=f"{OVERRIDES}/ad_nerf_paper.json", script="nerf"
    ),
}
DEFAULT = tuple(name for name, row in ROWS.items() if not (isinstance(row, RendererRow) and row.script == "nerf"))
"""The rows that are made if none are named: all but the paper-sized renderers, which take hours on a CPU."""
