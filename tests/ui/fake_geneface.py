"""A stand-in for `geneface preprocess` and `geneface train`, as far as the Train tab sees them, without any learning.

The folder FAKE_GENEFACE tells it what to do: the pictures and the bundle that it makes, `delay` (seconds a step),
`error` (what to fail with), `crash` and `stubborn` (files that are there or not).
"""

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

CONTROL = Path(os.environ["FAKE_GENEFACE"])
STAGES = {"renderer": 20, "post_net": 10, "bundle": 2}
MADE = "scan.json frames.mp4 audio.flac landmarks.safetensors masks.safetensors tracks.safetensors".split()


def delay() -> None:
    time.sleep(float((CONTROL / "delay").read_text()))
    if (CONTROL / "crash").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    if (CONTROL / "error").exists():
        raise ValueError((CONTROL / "error").read_text())


def preprocess(video: Path, target: Path) -> None:
    assert video.is_file()
    if target.exists():
        return
    work = target.parent / f".{target.name}.unfinished"
    work.mkdir(exist_ok=True)
    for name in MADE:
        if not (work / name).exists():
            delay()
            (work / name).touch()
    shutil.copy(CONTROL / "sheet.png", work / "contact_sheet.png")
    warnings = ["21 s are little to learn a person from: some minutes give a better mouth"]
    (work / "manifest.json").write_text(json.dumps({"warnings": warnings}))
    work.rename(target)


def write(work: Path, status: dict[str, Any]) -> None:
    (work / ".status").write_text(json.dumps({**status, "updated": time.time()}))
    (work / ".status").replace(work / "status.json")


def train(video: Path, bundle: Path, name: str, consent: str) -> None:
    work = bundle.parent / f".{bundle.name}.training"
    preprocess(video, work / "dataset")
    status: dict[str, Any] = {"stage": "renderer", "step": 0, "figures": {}}
    if (work / "status.json").exists():
        status = json.loads((work / "status.json").read_text())
        status["stage"] = "renderer" if status["stage"] == "failed" else status["stage"]
        (CONTROL / "resumed").write_text(f"{status['stage']} {status['step']}")
    for stage in list(STAGES)[list(STAGES).index(status["stage"]) :]:
        steps, first = STAGES[stage], status["step"] if status["stage"] == stage else 0
        for step in range(first, steps):
            status |= {"stage": stage, "step": step, "steps": steps, "seconds_left": 60.0 * (32 - step)}
            status["detail"] = f"the {stage.replace('_', '-')} learns"
            if step > 3:
                start = {"full": 31.2, "head": 27.0, "mouth": 24.1}
                status["figures"] = {"dev": {name: psnr + step / 9 for name, psnr in start.items()}}
                shutil.copy(CONTROL / "preview.png", work / "preview.png")
            write(work, status)
            (work / stage).mkdir(exist_ok=True)
            try:
                delay()
            except ValueError as error:
                write(work, {**status, "stage": "failed", "error": str(error)})
                raise
    shutil.copytree(CONTROL / "bundle", bundle)
    figures = {"PSNR, full frame": "33.1 dB", "PSNR, head": "29.0 dB", "PSNR, mouth": "26.4 dB"}
    (bundle / "card.json").write_text(json.dumps({"name": name, "consent": consent, "figures": figures}))
    shutil.rmtree(work)


def stop(*_: object) -> None:
    sys.exit("error: stopped; what is done is kept: go on with --resume")


def main() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN if (CONTROL / "stubborn").exists() else stop)
    task, video, _, target, *more = sys.argv[1:]
    if task == "preprocess":
        preprocess(Path(video), Path(target))
    else:
        assert more[0::2][:2] == ["--name", "--consent"] and more[4] == "--resume"
        train(Path(video), Path(target), more[1], more[3])


try:
    main()
except ValueError as error:
    sys.exit(f"error: {error}")
