"""What is killed: each command on something small and synthetic, and how its result is told from another."""

import hashlib
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from tests.campaign.subjects import babble

ROOT = Path(__file__).resolve().parents[2]


class Undertaking:
    """A command whose results lie in a folder."""

    goes_on = False
    """Whether the next run goes on where a killed one was, so that it may be killed several times."""
    window = 0.0
    """Seconds within which the kill comes, from when it matters, if not within those of the undisturbed run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}",
            "OMP_NUM_THREADS": "1",
        }
        self.environment |= {"XDG_CONFIG_HOME": str(folder / "config"), "CUDA_VISIBLE_DEVICES": ""}
        self.environment |= {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HOME": str(folder / "hf"), "HF_HUB_OFFLINE": "1"}

    def arguments(self, place: Path) -> list[str]:
        """Of Python."""
        raise NotImplementedError

    def result(self, place: Path) -> Any:
        """Equal for equal results."""
        raise NotImplementedError

    def half_made(self, place: Path) -> str:
        """What there is under the name asked for that is neither whole nor what was there before; "" if nothing."""
        return ""

    def done(self, place: Path) -> bool:
        """Whether the kill came after the end, so that there is nothing to go on with, and a next run is refused."""
        return False

    def leftovers(self, place: Path) -> str:
        """Hidden files that nobody will ever need."""
        return ", ".join(path.name for path in place.rglob(".*") if path.name not in (".lock", ".gitignore"))

    def start(self, place: Path) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, *self.arguments(place)],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait_until_it_matters(self, process: subprocess.Popen, place: Path) -> None:
        """Before that there is nothing to lose: a process that only imports."""
        while process.poll() is None and not self.begun(place):
            time.sleep(0.01)

    def begun(self, place: Path) -> bool:
        """Whether something is being written."""
        with suppress(FileNotFoundError):
            return any(path.stat().st_size for path in place.glob(".*"))
        return False

    def close(self) -> None:
        """Nothing more will be started."""


def write_tiny(folder: Path, seed: int = 0) -> Path:
    """The tiny person as a bundle; another seed, another person."""
    import torch
    from tiny import tiny_components

    from geneface.bundles.loading import save_components

    components = tiny_components()
    if seed:
        torch.manual_seed(seed)
        torch.nn.init.normal_(components["renderer"].planes)
    save_components(folder, components)
    return folder


def write_sound(path: Path, seconds: float) -> Path:
    import wave

    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes((babble(seconds) * 32767).astype("<i2").tobytes())
    return path


def digests(folder: Path) -> dict[str, str]:
    """Path in the folder -> digest, of all files."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


class Generate(Undertaking):
    """A video over one that is there."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._bundle, self._sound = write_tiny(folder / "tiny"), write_sound(folder / "sound.wav", 10)

    def arguments(self, place: Path) -> list[str]:
        output = place / "out.mp4"
        if not output.exists():
            output.write_bytes(b"the old one")
        options = ["--person", str(self._bundle), "--seed", "3", "--device", "cpu"]
        return ["-m", "geneface", "generate", str(self._sound), "-o", str(output), *options]

    def result(self, place: Path) -> Any:
        import av

        digest = hashlib.sha256()
        with av.open(str(place / "out.mp4")) as container:
            for frame in container.decode(*container.streams.video, *container.streams.audio):
                digest.update(frame.to_ndarray().tobytes())
        return digest.hexdigest()

    def half_made(self, place: Path) -> str:
        from geneface.media.check import check_file

        output = place / "out.mp4"
        if output.read_bytes() != b"the old one" and check_file(output).provenance.state != "valid":
            return "the video is half made"
        return ""


class Overwrite(Undertaking):
    """A bundle over another one, again and again."""

    window = 3.0

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._persons = [write_tiny(folder / "one"), write_tiny(folder / "two", seed=1)]
        self._known = [digests(person) for person in self._persons]

    def arguments(self, place: Path) -> list[str]:
        words = (
            "import sys, pathlib\nfrom geneface.bundles.loading import load_components, save_components\n"
            "from geneface.hub.persons import open_bundle\nmany = (place := pathlib.Path(sys.argv[3])).exists()\n"
            "parts = [load_components(open_bundle(path), {}) for path in sys.argv[1:3]]\n"
            "print('ready', flush=True)\n"
            "for round in range(1000 if many else 2):\n    save_components(place, parts[round % 2])\n"
        )
        target = place / "bundle"
        # The run after the kill saves twice, as the undisturbed one did.
        again = place / "killed"
        if place.name != "whole" and not again.exists():
            again.touch()
            write_tiny(target)
        elif place.name != "whole":
            words = words.replace("1000 if many else 2", "2")
        return ["-c", words, *map(str, self._persons), str(target)]

    def wait_until_it_matters(self, process: subprocess.Popen, place: Path) -> None:
        assert process.stdout is not None
        process.stdout.readline()

    def result(self, place: Path) -> Any:
        return digests(place / "bundle")

    def half_made(self, place: Path) -> str:
        from geneface.utils.files import recover

        recover(place / "bundle")
        found = digests(place / "bundle") if (place / "bundle").exists() else {}
        return "" if found in self._known else "neither the old nor the new bundle is there"


class Registry(Undertaking):
    """A Hub on loopback, which takes its time."""

    repo_id = "alice/tiny"

    def __init__(self, folder: Path) -> None:
        from hub_server import Handler, HubServer

        super().__init__(folder)
        self._held = ExitStack()
        self.hub = self._held.enter_context(HubServer())
        # Of those who were killed while they were answered.
        self.hub.handle_error = lambda *request: None  # type: ignore[method-assign]
        answer = Handler.answer

        def slowly(handler: Any) -> None:
            time.sleep(0.05)
            answer(handler)

        Handler.answer = slowly  # type: ignore[method-assign]
        self._held.callback(setattr, Handler, "answer", answer)
        self._bundle = write_tiny(folder / "tiny")
        self.environment |= {"HF_ENDPOINT": self.hub.url, "HF_TOKEN": "hf_alice", "HF_HUB_OFFLINE": "0"}
        self.environment |= {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}

    def start(self, place: Path) -> subprocess.Popen:
        self._asked = len(self.hub.requests)
        return super().start(place)

    def begun(self, place: Path) -> bool:
        return len(self.hub.requests) > self._asked

    def close(self) -> None:
        self._held.close()


class Push(Registry):
    def arguments(self, place: Path) -> list[str]:
        consent = ["--consent", "Drawn.", "--public"]
        return ["-m", "geneface", "push", str(self._bundle), f"alice/{place.name}", *consent]

    def _files(self, place: Path) -> dict[str, Any]:
        repo = self.hub.repos.get(("model", f"alice/{place.name}"))
        return dict(repo.commits[repo.head]) if repo else {}

    def half_made(self, place: Path) -> str:
        files = self._files(place)
        repo = self.hub.repos.get(("model", f"alice/{place.name}"))
        if files.keys() <= {".gitattributes"}:
            return "an empty repository is public" if repo and not repo.private else ""
        return (
            "" if {"model_index.json", "renderer/model.safetensors"} <= files.keys() else "the repository is half full"
        )

    def result(self, place: Path) -> Any:
        return {name: blob.oid for name, blob in self._files(place).items() if name != "README.md"}


class Pull(Registry):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        files = {
            str(path.relative_to(self._bundle)): path.read_bytes()
            for path in self._bundle.rglob("*")
            if path.is_file()
        }
        self.hub.upload(self.repo_id, {**files, "README.md": b""})

    def arguments(self, place: Path) -> list[str]:
        self.environment["HF_HUB_CACHE"] = str(place)
        return ["-m", "geneface", "pull", self.repo_id]

    def _snapshot(self, place: Path) -> dict[str, str]:
        found = [digests(index.parent) for index in place.glob("*/snapshots/*/model_index.json")]
        return found[0] if found else {}

    def half_made(self, place: Path) -> str:
        from geneface.hub.persons import cached_persons

        listed = cached_persons(place)
        whole = set(digests(self._bundle))
        return "" if not listed or whole <= self._snapshot(place).keys() else "a half-fetched person is listed"

    def result(self, place: Path) -> Any:
        return self._snapshot(place)

    def leftovers(self, place: Path) -> str:
        return ", ".join(path.name for path in place.rglob("*.incomplete"))


class Preprocess(Undertaking):
    """The drawn head's video, with what stands in for the third-party models."""

    goes_on = True

    def __init__(self, folder: Path) -> None:
        from drawn_person import Actor, write_drawn_face

        super().__init__(folder)
        Actor(write_drawn_face(folder / "face.safetensors")).write_video(folder / "video.mp4")

    def arguments(self, place: Path) -> list[str]:
        return ["-m", "tests.campaign.drawn_preprocess", str(self.folder), str(place / "dataset")]

    def result(self, place: Path) -> Any:
        return digests(place / "dataset")

    def half_made(self, place: Path) -> str:
        there = (place / "dataset").exists() and not (place / "dataset" / "manifest.json").exists()
        return "the dataset is half made" if there else ""


class Train(Undertaking):
    """A tiny renderer and a tiny post-net."""

    goes_on = True

    def __init__(self, folder: Path) -> None:
        from drawn_person import write_drawn_dataset, write_tiny_models
        from motion_corpus import MODELS
        from tiny import TINY_RENDERER

        from geneface.face.face_model import FaceModel
        from geneface.hub.assets import VARIABLE

        super().__init__(folder)
        self._dataset = write_drawn_dataset(folder)
        self.environment[VARIABLE] = str(folder)
        (folder / "renderer.json").write_text(json.dumps({**TINY_RENDERER, "size": 512, "grid": 32}))
        for name in ("post_net", "discriminator"):
            (folder / f"{name}.json").write_text(json.dumps(MODELS[name]))
        common: dict[str, Any] = {"batch_size": 4, "prefetch": 2, "warmup_steps": 2, "save_every": 4, "log_every": 5}
        fast = {"steps": 24, "window": 16, "search_samples": 6, "samples": 4, "learning_rate": 1e-2}
        post = {"steps": 6, "window": 20, "evaluate_every": 2, "model": str(folder / "post_net.json")}
        models = write_tiny_models(folder, FaceModel.load(folder / "face.safetensors"))
        settings = {
            "fast": {**common, **fast, "renderer": str(folder / "renderer.json")},
            "post_net": {**common, **post, **models, "discriminator": str(folder / "discriminator.json")},
        }
        (folder / "settings.json").write_text(json.dumps(settings))

    def arguments(self, place: Path) -> list[str]:
        options = ["-o", str(place / "anna"), "--config", str(self.folder / "settings.json"), "--device", "cpu"]
        return [
            "-m",
            "geneface",
            "train",
            str(self._dataset),
            *options,
            *["--resume"] * (place / ".anna.training").exists(),
        ]

    def done(self, place: Path) -> bool:
        return (place / "anna").exists() and not (place / ".anna.training").exists()

    def result(self, place: Path) -> Any:
        return {name: digest for name, digest in digests(place / "anna").items() if name.endswith(".safetensors")}

    def half_made(self, place: Path) -> str:
        there = (place / "anna").exists() and not (place / "anna" / "model_index.json").exists()
        return "the person is half made" if there else ""
