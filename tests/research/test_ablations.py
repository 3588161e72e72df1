import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from flat_person import FRAMES, nods, write_flat_person
from motion_corpus import write_everything, write_wave
from safetensors.torch import load_file, save_file
from tiny import ROOT, TINY_RENDERER

from geneface.errors import InputError
from geneface.media.video import probe
from geneface.models.sync_expert import SyncExpert
from geneface.training import motion_generator
from research import ablations
from research.ablation_motion import Plan
from research.ablation_rows import ROWS, MotionRow, RendererRow
from research.ablation_table import markdown, orders

LOOP = {"batch_size": 2, "warmup_steps": 1, "prefetch": 1, "log_every": 5, "learning_rate": 1e-3}
MOTION_ROWS = [name for name, row in ROWS.items() if isinstance(row, MotionRow)]


@pytest.fixture(scope="module", autouse=True)
def at_home() -> Iterator[None]:
    """Rows name their configurations from the root; and threads that wait cost these models more than they bring."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    folder = tmp_path_factory.mktemp("ablations")
    paths = write_everything(folder)
    clips = Path(paths["corpus"]) / "clips.jsonl"
    lines = [json.loads(line) for line in clips.read_text().splitlines()]
    heldout = {**lines[2], "name": "test", "split": "test"}
    clips.write_text("\n".join(json.dumps(clip) for clip in [*lines, heldout]) + "\n")
    tracks = Path(paths["dataset"]) / "tracks.safetensors"
    camera = {"pose": nods(150), "intrinsics": torch.tensor([[1500.0, 0, 256], [0, 1500, 256], [0, 0, 1]])}
    save_file({**load_file(tracks), **camera}, tracks)
    SyncExpert(16, layers=3, channels=16).save_pretrained(folder / "expert")
    write_wave(folder / "singer.wav", np.random.default_rng(0).normal(0, 0.1, 640 * 40).astype(np.float32))
    small = {
        "motion": {**LOOP, "model": str(folder / "motion_generator.json"), "copies": 1, "window": 40},
        "post_net": {
            **LOOP,
            "model": str(folder / "post_net.json"),
            "discriminator": str(folder / "discriminator.json"),
            "corpora": [paths["corpus"]],
            "copies": 1,
            "steps": 2,
            "evaluate_every": 1,
        },
    }
    for name, settings in small.items():
        (folder / f"train_{name}.json").write_text(json.dumps(settings))
    return Plan(
        dataset=Path(paths["dataset"]),
        output=folder / "out",
        corpora=[paths["corpus"]],
        recordings=[folder / "singer.wav"],
        face_model=paths["face_model"],
        feature_extractor=paths["feature_extractor"],
        sync_expert=str(folder / "expert"),
        steps=2,
        motion=str(folder / "train_motion.json"),
        post_net=str(folder / "train_post_net.json"),
    )


@pytest.fixture(scope="module")
def table(plan: Plan) -> str:
    return ablations.ablate(plan, MOTION_ROWS, [0])


def test_every_motion_row_is_trained_and_measured(plan: Plan, table: str):
    found = json.loads((plan.output / "table.json").read_text())["rows"]
    assert set(found) == set(MOTION_ROWS)
    for name, row in found.items():
        figures = row["seeds"]["0"]
        for key in ("corpus_error_mm", "corpus_energy_mm", "person_error_mm", "person_lmd_px", "ood_jitter_mm"):
            assert np.isfinite(figures[key]) and figures[key] >= 0, (name, key)
        assert list(figures["voices"]) == ["singer"]
    assert found["no_flow"]["published"]["l2"] == 0.0385
    assert found["regression"]["seeds"]["0"]["ood_jitter_mm"] != found["geneface"]["seeds"]["0"]["ood_jitter_mm"]
    # The person's landmarks lie 0.3 cm from the generic ones, which only an adapter knows.
    errors = {name: row["seeds"]["0"]["person_error_mm"] for name, row in found.items()}
    assert errors["no_post_net"] > 2 * errors["geneface"], errors
    # They share a generator, and its own corpus figures with it.
    shared = [found[name]["seeds"]["0"]["corpus_error_mm"] for name in ("geneface", "no_post_net")]
    assert shared[0] == shared[1]
    configs = {
        name: json.loads((plan.output / f"trained/{name}_0/model/config.json").read_text())
        for name in ("no_flow", "regression", "log_mel")
    }
    assert configs["no_flow"]["flow_layers"] == 0
    assert configs["regression"]["_class_name"] == "MotionRegressor"
    assert configs["log_mel"]["feature_size"] == 80
    assert (
        "| w/o prior flow (vanilla VAE) |" in table and "| 0.0371 | 0.0385 |" in table and "| 3.933 | 4.063 |" in table
    )


def test_what_is_there_is_not_made_again(plan: Plan, table: str, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(motion_generator, "train", refuse)
    nowhere = replace(plan, face_model="nowhere", corpora=["nowhere"])
    assert ablations.ablate(nowhere, MOTION_ROWS, [0]) == table
    (plan.output / "rows/no_sync_0.json").unlink()
    before = json.loads((plan.output / "table.json").read_text())["rows"]["no_sync"]
    assert ablations.ablate(plan, ["no_sync"], [0]) == table, "measured again from what is trained"
    assert json.loads((plan.output / "table.json").read_text())["rows"]["no_sync"] == before


def test_in_rotation_every_fifth_has_a_post_net_of_its_own(plan: Plan, tmp_path: Path):
    found = ablations.ablate(replace(plan, output=tmp_path, rotate=True), ["geneface", "fine_tune"], [0])
    assert "GeneFace (VAE + flow" in found and "fine-tuning" in found
    blocks = [f"post_net_{block}" for block in range(5)]
    assert sorted(path.name for path in (tmp_path / "trained/geneface_0").glob("post_net*")) == blocks
    assert (tmp_path / "trained/fine_tune_0/post_net_4/motion_generator/model.safetensors").is_file()


@pytest.fixture(scope="module")
def flat(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    folder = tmp_path_factory.mktemp("flat")
    write_flat_person(folder)
    write_wave(folder / "audio.flac", np.random.default_rng(1).normal(0, 0.1, 640 * FRAMES).astype(np.float32))
    features = torch.randn(2 * FRAMES, 16, generator=torch.Generator().manual_seed(0))
    save_file({"features": features.half()}, folder / "features.safetensors")
    motion = plan.output / "trained/geneface_0/model"
    common = json.loads(Path(plan.post_net).read_text())
    common |= {"motion_generator": str(motion), "feature_extractor": plan.feature_extractor, "window": 20}
    (folder / "post_net.json").write_text(json.dumps({**common, "sync_expert": ""}))
    fast = {**LOOP, "window": 16, "search_samples": 4}
    (folder / "fast.json").write_text(json.dumps(fast))
    (folder / "nerf.json").write_text(
        json.dumps({**LOOP, "rays": 16, "samples": 4, "fine_samples": 4, "evaluated": 1})
    )
    return replace(
        plan,
        dataset=folder,
        output=folder / "out",
        renderer_steps=2,
        post_net=str(folder / "post_net.json"),
        renderer=str(folder / "fast.json"),
        nerf=str(folder / "nerf.json"),
    )


def test_renderer_rows_and_their_videos(flat: Plan, table: str, monkeypatch: pytest.MonkeyPatch):
    tiny_nerf = {"size": 64, "layers": 6, "hidden": 8, "encoder_hidden": 8, "samples": 4, "fine_samples": 4}
    for name in ("fast", "no_head_aware", "ad_nerf", "ad_nerf_paper"):
        row = ROWS[name]
        assert isinstance(row, RendererRow)
        full = json.loads(Path(row.renderer).read_text())
        sizes = TINY_RENDERER if row.script == "renderer" else {**tiny_nerf, "pose_frames": 10}
        own = {key: full[key] for key in ("_class_name", "head_aware") if key in full}
        own |= {"audio_features": 16} if "audio_features" in full else {}
        path = flat.dataset / f"renderer_{name}.json"
        path.write_text(json.dumps({**sizes, **own}))
        monkeypatch.setitem(ROWS, name, replace(row, renderer=str(path)))
    found = ablations.ablate(flat, ["fast", "no_head_aware", "ad_nerf", "ad_nerf_paper"], [0, 1])
    rows = json.loads((flat.output / "table.json").read_text())["rows"]
    assert list(rows["fast"]["seeds"]) == ["0"], "one seed is enough for a renderer"
    assert set(rows["fast"]["seeds"]["0"]) == {
        f"{a}_{b}" for a in ("tracked", "audio") for b in ("full", "head", "mouth")
    }
    assert set(rows["ad_nerf"]["seeds"]["0"]) == {"audio_full", "audio_head", "audio_mouth"}
    assert rows["ad_nerf_paper"]["seeds"]["0"]["audio_full"] > 5
    assert "| AD-NeRF (in `fast`) |" in found and "4.199" in found
    by_landmarks = next(line for line in found.splitlines() if line.startswith("| PSNR full, by tracked landmarks"))
    assert by_landmarks.endswith("| – | – |"), "what sound drives has none"
    videos = {path.stem: probe(path) for path in (flat.output / "videos").iterdir()}
    assert {"real_test", "fast_test", "ad_nerf_test", "fast_singer", "ad_nerf_singer"} <= set(videos)
    assert abs(videos["ad_nerf_singer"].video_seconds - 40 / 25) < 0.05
    assert abs(videos["ad_nerf_test"].video_seconds - FRAMES / 10 / 25) < 0.05
    assert "comment" in videos["ad_nerf_test"].metadata and "comment" not in videos["real_test"].metadata


def test_the_other_order_is_said():
    figures = {"corpus_error_mm": 2.0, "person_error_mm": 3.0, "recording": {"person_sync": 0.4}}
    worse = {**figures, "corpus_error_mm": 1.5, "person_error_mm": 3.5}
    found = {"geneface": {0: figures, 1: figures}, "no_flow": {0: worse, 1: worse}}
    sentences = orders(found)
    assert len(sentences) == 2
    assert "corpus" in sentences[0] and sentences[0].endswith("the OTHER order.")
    assert "in-domain" in sentences[1] and sentences[1].endswith("the same order.")
    unsure = {**worse, "corpus_error_mm": 2.6}
    assert "within the spread of the seeds" in orders({**found, "no_flow": {0: worse, 1: unsure}})[0]
    table = markdown(found)
    assert "| real motion | GeneFace (VAE + flow, post-net) |" in table and "| seeds |  | 2 |" in table
    assert "| 0.400" in table and "| 2.000 ± 0.000 |" in table


def test_unknown_rows_and_missing_corpora_are_said(plan: Plan, tmp_path: Path):
    with pytest.raises(InputError, match="no_flows"):
        ablations.ablate(plan, ["no_flows"], [0])
    with pytest.raises(InputError, match="--corpora"):
        ablations.ablate(replace(plan, corpora=[], output=tmp_path), ["geneface"], [0])
