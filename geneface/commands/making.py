"""Videos to a person or a corpus: `preprocess`, `train`, `corpus`, and what they need: `face-model`, `assets`."""

import argparse
import sys

from geneface.commands.bars import Bars
from geneface.commands.register import Register, add_assets, say
from geneface.training.kinds import ADAPTERS, DEFAULT_ADAPTER, DEFAULT_RENDERER, RENDERERS


def preprocess(args: argparse.Namespace) -> None:
    """A video of one talking person in, a dataset to train that person from out, with a contact sheet to look at."""
    from contextlib import ExitStack
    from pathlib import Path

    from geneface.preprocessing.preprocess import Settings, preprocess
    from geneface.preprocessing.progress import StepProgress
    from geneface.training.run import TrainingFolder
    from geneface.utils.files import read_json

    settings = Settings(landmarks=args.landmarks, face_model=args.face_model)
    progress: StepProgress = Bars()
    with ExitStack() as watched:
        # A dataset for a training that is begun already: who looks at that training sees this, too.
        if (training := TrainingFolder.around(Path(args.output))) and training.path.is_dir():
            from geneface.training.status import Progress, stopping_well

            progress = watched.enter_context(Progress(training))
            watched.enter_context(stopping_well(progress))
        folder = preprocess(args.video, args.output, settings, assets_folder=args.assets, progress=progress)
    for warning in read_json(folder / "manifest.json", "dataset")["warnings"]:
        print(f"warning: {warning}", file=sys.stderr)
    say(folder, f"look at {folder / 'contact_sheet.png'}")


def corpus(args: argparse.Namespace) -> None:
    """Many talking videos in, a corpus to train the generic models on out; says what was left out and why."""
    from pathlib import Path

    from tqdm import tqdm

    from geneface.corpora.corpus_video import Filter, standard_tools
    from geneface.corpora.make_corpus import find_videos, make_corpus
    from geneface.hub.assets import FACE_LANDMARKER, FACE_MODEL, get_asset
    from geneface.hub.persons import PERSONS_DIR

    find_videos(Path(args.videos))
    landmarker, face = (get_asset(asset, args.assets) for asset in (FACE_LANDMARKER, FACE_MODEL))
    summary = make_corpus(
        args.videos,
        args.output,
        standard_tools(landmarker, face, PERSONS_DIR / "generic"),
        Filter(face=args.min_face, yaw=args.max_yaw),
        language=args.language,
        progress=lambda videos: tqdm(videos, desc="videos", unit="video", disable=None),
    )
    say(summary.folder, summary.text())


def train(args: argparse.Namespace) -> None:
    """A person from a video (or from a dataset made of one): a bundle that generate and the web demo use."""
    from pathlib import Path

    from geneface.training.person import Request, train_person

    train_person(
        Request(
            source=Path(args.source),
            bundle=Path(args.output),
            name=args.name,
            consent=args.consent,
            renderer=args.renderer,
            adapter=args.adapter,
            steps=args.steps,
            config=Path(args.config) if args.config else None,
            device=args.device,
            assets=Path(args.assets) if args.assets else None,
            resume=args.resume,
        )
    )


def face_model(args: argparse.Namespace) -> None:
    """Convert a 3D face model: a clone of ICT-FaceKit or a BFM_model_front.mat in, one safetensors file out."""
    from geneface.face.convert import convert_ict
    from geneface.face.convert_bfm import convert_bfm
    from geneface.media.intake import refuse_overwriting

    refuse_overwriting(args.output, [args.source])
    convert = convert_bfm if args.source.lower().endswith(".mat") else convert_ict
    convert(args.source, args.output)
    say(args.output)


def assets(args: argparse.Namespace) -> None:
    """The third-party models that training a person needs: which are here, from where, under which licence."""
    from geneface.hub.assets import ASSETS, assets_folder, fetch_asset, find_asset, is_genuine

    print(f"in {assets_folder(args.assets)}:")
    for asset in ASSETS:
        path = find_asset(asset, args.assets)
        if args.fetch and path is None:
            path = fetch_asset(asset, args.assets)
        state = "missing" if path is None else "here" if is_genuine(asset, path) else "changed"
        print(f"{asset.name:<40} {state:<8} {asset.licence:<11} {asset.purpose}; {asset.url}")


def register(command: Register) -> None:
    sub = command("preprocess", preprocess)
    sub.add_argument("video", metavar="VIDEO", help="one person who speaks to the camera, with sound")
    sub.add_argument("-o", "--output", metavar="DIR", required=True, help="the dataset to make")
    sub.add_argument(
        "--landmarks", choices=("mediapipe", "face-alignment"), default="mediapipe", help="their detector"
    )
    sub.add_argument("--face-model", metavar="FILE", default="", help="see geneface face-model (default: ICT-FaceKit)")
    add_assets(sub)

    sub = command("corpus", corpus)
    sub.add_argument("videos", metavar="VIDEOS_DIR", help="talking videos, those of a speaker in a folder of its own")
    sub.add_argument("-o", "--output", metavar="DIR", required=True, help="the corpus to make")
    sub.add_argument("--language", default="", metavar="L", help="what is spoken, such as en")
    sub.add_argument("--min-face", type=int, default=60, metavar="PX", help="brows to chin (default: 60)")
    sub.add_argument("--max-yaw", type=float, default=40, metavar="DEG", help="turned to the side (default: 40)")
    add_assets(sub)

    sub = command("train", train)
    sub.add_argument("source", metavar="VIDEO|DIR", help="one person who speaks to the camera, or their dataset")
    sub.add_argument("-o", "--output", metavar="BUNDLE", required=True, help="the folder to make")
    sub.add_argument("--name", default="", metavar="NAME", help="of the person (default: the bundle's)")
    sub.add_argument("--consent", default="", metavar="TEXT", help="what the person shown agreed to; in the card")
    sub.add_argument(
        "--renderer", default="", metavar="R", help=f"{', '.join(RENDERERS.names())} (default: {DEFAULT_RENDERER})"
    )
    sub.add_argument(
        "--adapter",
        default="",
        metavar="A",
        help=f"how speech is carried over to the person: {', '.join(ADAPTERS.names())} (default: {DEFAULT_ADAPTER})",
    )
    sub.add_argument("--resume", action="store_true", help="go on with a training that was stopped or killed")
    sub.add_argument("--device", metavar="D", help="cuda, mps or cpu (default: cuda if it is there)")
    add_assets(sub)
    sub.add_argument("--steps", type=int, metavar="N", help="of the renderer; the post-net's in proportion")
    sub.add_argument("--config", metavar="FILE", help="settings that replace those of hub_configs/train")

    sub = command("face-model", face_model)
    sub.add_argument("source", metavar="ICT_DIR|BFM_FILE", help="a clone of ICT-FaceKit, or a BFM_model_front.mat")
    sub.add_argument("-o", "--output", metavar="FILE", required=True, help="the safetensors file to write")

    sub = command("assets", assets)
    sub.add_argument("--fetch", action="store_true", help="download those that are missing")
    add_assets(sub)
