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

from geneface.bundles.card import Card, Figure, write_card
from geneface.training.run import Outcome, Stage, TrainingFolder, TrainingStatus

CONTROL = Path(os.environ["FAKE_GENEFACE"])
STAGES = {Stage.RENDERER: 20, Stage.POST_NET: 10, Stage.BUNDLE: 2}
PARTS = 9
MADE = "scan.json frames.mp4 audio.flac landmarks.safetensors masks.safetensors tracks.safetensors".split()


def delay() -> None:
    time.sleep(float((CONTROL / "delay").read_text()))
    if (CONTROL / "crash").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    if (CONTROL / "error").exists():
        raise ValueError((CONTROL / "error").read_text())


def preprocess(video: Path, folder: TrainingFolder) -> None:
    assert video.is_file()
    if folder.dataset.exists():
        return
    work = folder.dataset.with_name(f".{folder.dataset.name}.unfinished")
    work.mkdir(exist_ok=True)
    for done, name in enumerate(MADE):
        TrainingStatus(part=f"making {name}", parts_done=done, parts=PARTS).save(folder.status)
        if not (work / name).exists():
            delay()
            (work / name).touch()
    shutil.copy(CONTROL / "sheet.png", work / "contact_sheet.png")
    warnings = ["21 s are little to learn a person from: some minutes give a better mouth"]
    (work / "manifest.json").write_text(json.dumps({"warnings": warnings}))
    work.rename(folder.dataset)


def train(video: Path, folder: TrainingFolder, name: str, consent: str) -> None:
    preprocess(video, folder)
    status = folder.load_status()
    if status.stage is Stage.PREPROCESS:
        status = TrainingStatus(Stage.RENDERER)
    else:
        (CONTROL / "resumed").write_text(f"{status.stage} {status.step}")
    for stage in list(STAGES)[list(STAGES).index(status.stage) :]:
        steps, first = STAGES[stage], status.step if status.stage is stage else 0
        for step in range(first, steps):
            status.stage, status.step, status.steps, status.seconds_left = stage, step, steps, 60.0 * (32 - step)
            status.detail = f"the {stage.replace('_', '-')} learns"
            if step > 3:
                start = {"full": 31.2, "head": 27.0, "mouth": 24.1}
                status.figures = {"dev": {name: psnr + step / 9 for name, psnr in start.items()}}
                shutil.copy(CONTROL / "preview.png", folder.preview)
            status.save(folder.status)
            folder.of_stage(stage).mkdir(exist_ok=True)
            delay()
    shutil.copytree(CONTROL / "bundle", folder.bundle)
    psnr = {"full frame": 33.1, "head": 29.0, "mouth": 26.4}
    figures = {f"PSNR, {region}": Figure(value, "dB") for region, value in psnr.items()}
    write_card(folder.bundle, Card(name, consent=consent, figures=figures))
    shutil.rmtree(folder.path)


def main() -> None:
    task, video, _, target, *more = sys.argv[1:]
    folder = TrainingFolder.around(Path(target)) if task == "preprocess" else TrainingFolder.of(Path(target))
    assert folder

    def end(outcome: Outcome, error: str = "") -> None:
        status = folder.load_status()
        status.outcome, status.error = outcome, error
        status.save(folder.status)
        sys.exit("the words of a log, which nobody reads")

    stubborn = (CONTROL / "stubborn").exists()
    signal.signal(signal.SIGTERM, signal.SIG_IGN if stubborn else lambda *_: end(Outcome.STOPPED))
    try:
        if task == "preprocess":
            preprocess(Path(video), folder)
        else:
            assert more[0::2][:2] == ["--name", "--consent"] and more[4] == "--resume"
            train(Path(video), folder, more[1], more[3])
    except ValueError as error:
        end(Outcome.FAILED, str(error))


main()
