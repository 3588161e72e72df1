import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from motion_corpus import write_everything
from safetensors.torch import load_file

from geneface.errors import InputError
from geneface.models.motion_generator import MotionGenerator
from geneface.models.post_net import PostNet
from geneface.models.sync_expert import SyncExpert
from geneface.training import motion_generator, post_net, sync_expert
from geneface.utils.files import read_json

COMMON = {
    "steps": 6,
    "batch_size": 4,
    "warmup_steps": 1,
    "save_every": 3,
    "log_every": 3,
    "prefetch": 2,
    "learning_rate": 1e-3,
}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for one another cost these tiny models far more than they bring."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The three scripts one after the other, as a user would run them."""
    folder = tmp_path_factory.mktemp("motion")
    paths = write_everything(folder)
    shared = {"corpora": [paths["corpus"]], "real_share": 0.5, "window": 40}
    for name in ("face_model", "feature_extractor"):
        shared[name] = paths[name]
    configs = {}
    for name, own in (
        ("sync_expert", {"copies": 2, "pairs": 4}),
        (
            "motion_generator",
            {
                "copies": 2,
                "sync_expert": str(folder / "runs/sync_expert/model"),
                "sync_start": 2,
                "kl_warmup": 2,
                "amplitude": 1.5,
            },
        ),
        (
            "post_net",
            {
                "dataset": paths["dataset"],
                "discriminator": str(folder / "discriminator.json"),
                "sync_expert": str(folder / "runs/sync_expert/model"),
                "motion_generator": str(folder / "runs/motion_generator/model"),
                "copies": 2,
                "evaluate_every": 2,
            },
        ),
    ):
        # A post-net's voices need no landmarks: neither face model nor tracked clips.
        settings = {k: v for k, v in shared.items() if name != "post_net" or k not in ("face_model", "real_share")}
        configs[name] = {
            **COMMON,
            **settings,
            **own,
            "model": str(folder / f"{name}.json"),
            "output_dir": str(folder / "runs" / name),
        }
    sync_expert.train(sync_expert.SyncExpertConfig(**configs["sync_expert"]))
    motion_generator.train(motion_generator.MotionGeneratorConfig(**configs["motion_generator"]))
    post_net.train(post_net.PostNetConfig(**configs["post_net"]))
    return configs


def _output(config: dict) -> Path:
    return Path(config["output_dir"])


def test_models_load_and_carry_the_statistics(trained: dict) -> None:
    expert = SyncExpert.from_pretrained(_output(trained["sync_expert"]) / "model")
    generator = MotionGenerator.from_pretrained(_output(trained["motion_generator"]) / "model")
    net = PostNet.from_pretrained(_output(trained["post_net"]) / "model")
    assert torch.allclose(expert.landmark_mean, generator.landmark_mean)
    assert torch.allclose(1.5 * expert.landmark_std, generator.landmark_std), "the amplitude asked for"
    lower_lip = generator.landmark_mean[66]
    assert lower_lip[1] < -0.1, "the mouth is open on average"
    assert (generator.landmark_mean[36:48] == 0).all()
    assert generator.mean_landmarks.abs().max() > 1
    assert (net.source_rest == 0).all() and net.target_rest.abs().max() > 0.1
    features = torch.randn(1, 20, 16)
    lm3d = net(generator(features, torch.zeros(1, 3, 4)))
    assert lm3d.shape == (1, 10, 68, 3) and lm3d.isfinite().all()


def test_reports_hold_the_figures(trained: dict) -> None:
    report = read_json(_output(trained["sync_expert"]) / "report.json")
    assert set(report) == {"tracked", "simulated"} and 0 <= report["tracked"]["accuracy"] <= 1
    report = read_json(_output(trained["motion_generator"]) / "report.json")
    at_zero = report["simulated"]["temperature_0"]
    for name in (
        "r",
        "spread",
        "lm3d_error_mm",
        "silence_opening",
        "silence_jitter_mm",
        "sync_cosine",
        "closed_in_pbm",
    ):
        assert np.isfinite(at_zero[name]), name
    assert report["tracked"]["temperature_1"]["energy_score_mm"] > 0
    report = read_json(_output(trained["post_net"]) / "report.json")
    assert report["best_step"] in (0, 2, 4, 6) and report["dev"]["temperature_0"]["lm3d_error_mm"] > 0


@pytest.mark.parametrize(
    ("name", "script", "config_class"),
    [
        ("sync_expert", sync_expert, sync_expert.SyncExpertConfig),
        ("motion_generator", motion_generator, motion_generator.MotionGeneratorConfig),
        ("post_net", post_net, post_net.PostNetConfig),
    ],
)
def test_resuming_gives_the_unbroken_run(trained: dict, tmp_path: Path, name: str, script, config_class) -> None:
    output = _output(trained[name])
    checkpoints = sorted(path.name for path in (output / "checkpoints").iterdir())
    assert checkpoints == ["step_00000003"]
    shutil.copytree(output / "checkpoints", tmp_path / "checkpoints")
    if name == "post_net":
        shutil.copytree(output / "best", tmp_path / "best")
    script.train(config_class(**{**trained[name], "output_dir": str(tmp_path), "resume": True}))
    whole, resumed = (load_file(folder / "model/model.safetensors") for folder in (output, tmp_path))
    assert whole.keys() == resumed.keys()
    for key, tensor in whole.items():
        torch.testing.assert_close(tensor, resumed[key], atol=1e-6, rtol=1e-4)


def test_learning_lowers_the_error(trained: dict, tmp_path: Path) -> None:
    before = read_json(_output(trained["motion_generator"]) / "report.json")["tracked"]["temperature_0"]
    config = {**trained["motion_generator"], "output_dir": str(tmp_path), "steps": 40, "save_every": 1000}
    config |= {"learning_rate": 5e-3, "real_share": 1.0, "sync_expert": ""}
    motion_generator.train(motion_generator.MotionGeneratorConfig(**config))
    after = read_json(tmp_path / "report.json")["tracked"]["temperature_0"]
    assert after["lm3d_error_mm"] < 0.9 * before["lm3d_error_mm"]
    assert after["r"] > 0.5


def test_runs_as_a_command_and_refuses_unknown_settings(trained: dict, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**trained["sync_expert"], "output_dir": str(tmp_path / "out"), "steps": 1}))
    command = [sys.executable, "-m", "geneface.training.sync_expert", "--config", str(path)]
    root = Path(__file__).parents[2]
    result = subprocess.run([*command, "--set", "seed=3"], cwd=root, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out/model/model.safetensors").exists()
    with pytest.raises(InputError, match="unknown setting"):
        from geneface.training.loop import parse_config

        parse_config(sync_expert.SyncExpertConfig, ["--config", str(path), "--set", "nonsense=1"])


def test_shipped_settings_are_known() -> None:
    from geneface.training.loop import parse_config

    root = Path(__file__).parents[2]
    for name, config_class in (
        ("embedded/train_sync_expert", sync_expert.SyncExpertConfig),
        ("embedded/train_motion_generator", motion_generator.MotionGeneratorConfig),
        ("embedded/train_post_net", post_net.PostNetConfig),
        ("paper/train_sync_expert", sync_expert.SyncExpertConfig),
        ("paper/train_motion_generator", motion_generator.MotionGeneratorConfig),
    ):
        config = parse_config(config_class, ["--config", str(root / f"hub_configs/{name}.json")])
        assert (root / config.model).exists()
        assert config.steps == 40000 or not name.startswith("paper")
