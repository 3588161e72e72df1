"""The `geneface` command: one thin function per subcommand."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from geneface import __version__
from geneface.errors import InputError

BAD_INPUT, FAILURE, INTERRUPTED = 2, 1, 130


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line instead of argparse's usage message."""
        self.exit(BAD_INPUT, f"error: {message} (see {self.prog} --help)\n")


def generate(args: argparse.Namespace) -> None:
    """A recording in, a talking portrait out."""
    from geneface.generate import generate_video, output_writer
    from geneface.hub import find_person
    from geneface.media.audio import open_audio
    from geneface.media.video import check_output

    # What can be wrong with the files is said before the models are loaded.
    output = check_output(args.output, output_writer(args.background).suffix)
    person = find_person(args.person)
    with open_audio(args.audio) as audio:
        from geneface.pipeline import GeneFacePipeline

        pipe = GeneFacePipeline.from_pretrained(person, device=args.device)
        result = generate_video(
            pipe,
            audio,
            output,
            seed=args.seed,
            temperature=args.temperature,
            pose=args.pose,
            blink=args.blink,
            size=args.size,
            background=args.background,
            mark=not args.no_mark,
        )
    if result.unsigned:
        print(f"warning: {result.unsigned}", file=sys.stderr)
    print(result.path)
    print(
        f"{result.frames} frames, {result.seconds:.2f} s of video in {result.elapsed:.1f} s "
        f"({result.frames_per_second:.1f} frames/s), seed {result.seed}"
    )


def verify(args: argparse.Namespace) -> int:
    """Who signed a video, with which person and settings, and whether it was altered; exit code 0 if all is well."""
    import json

    from geneface.media.provenance import read_provenance
    from geneface.media.verdict import advice, facts, headline

    found = read_provenance(args.file, args.anchor)
    if args.json:
        print(json.dumps(vars(found), indent=2))
    else:
        print(f"{args.file}: {headline(found)}")
        print(advice(found, anchored=args.anchor is not None))
        for name, text in facts(found):
            print(f"{name:<10} {text}")
    return 0 if found.state == "valid" and (found.trusted or args.anchor is None) else FAILURE


def persons(args: argparse.Namespace) -> None:
    """Name and place of each person on this machine, or of those on the Hub."""
    from geneface.hub import PERSONS_DIR, cached_persons, list_persons, search_persons

    if args.search is None:
        rows = [(name, str(PERSONS_DIR / name)) for name in list_persons()]
        rows += [(name, str(folder)) for name, folder in cached_persons().items()]
    else:
        found = search_persons(args.search, token=args.token)
        rows = [(person.repo_id, f"{person.downloads} downloads{', private' * person.private}") for person in found]
        if not found:
            print(f"no person on the Hub matches {args.search!r}")
    width = max((len(name) for name, _ in rows), default=0)
    for name, place in rows:
        print(f"{name:<{width}}  {place}")


def pull(args: argparse.Namespace) -> None:
    """Fetch a person from the Hub, for use without a network; prints its folder."""
    from geneface.hub import resolve_bundle

    print(resolve_bundle(args.person, revision=args.revision, token=args.token))


def push(args: argparse.Namespace) -> None:
    """Publish a person on the Hub, privately unless asked otherwise; prints the commit's address."""
    from geneface.hub import find_person, resolve_bundle
    from geneface.publish import push_to_hub

    url = push_to_hub(
        resolve_bundle(find_person(args.bundle), token=args.token),
        args.repo_id,
        consent=args.consent,
        private=not args.public,
        token=args.token,
        link_generic=args.link_generic,
    )
    print(url)


def bench(args: argparse.Namespace) -> None:
    """How fast this machine is: each stage, and a recording to a finished video."""
    import json

    from geneface.bench import as_table, run_bench
    from geneface.hub import find_person
    from geneface.pipeline import GeneFacePipeline

    pipe = GeneFacePipeline.from_pretrained(find_person(args.person), device=args.device)
    report = run_bench(pipe, args.seconds, args.runs)
    print(json.dumps(vars(report), indent=2) if args.json else as_table(report))


def preprocess(args: argparse.Namespace) -> None:
    """A video of one talking person in, a dataset to train that person from out, with a contact sheet to look at."""
    from tqdm import tqdm

    from geneface.bundle import read_json
    from geneface.data.preprocess import Settings, preprocess

    def progress(items: Any, name: str, length: int | None) -> Any:
        return tqdm(items, desc=name, total=length, unit="frame", leave=False, disable=None)

    settings = Settings(landmarks=args.landmarks, face_model=args.face_model)
    folder = preprocess(args.video, args.output, settings, assets_folder=args.assets, progress=progress)
    for warning in read_json(folder / "manifest.json")["warnings"]:
        print(f"warning: {warning}", file=sys.stderr)
    print(folder)
    print(f"look at {folder / 'contact_sheet.png'}")


def corpus(args: argparse.Namespace) -> None:
    """Many talking videos in, a corpus to train the generic models on out; says what was left out and why."""
    from pathlib import Path

    from tqdm import tqdm

    from geneface.assets import FACE_LANDMARKER, FACE_MODEL, get_asset
    from geneface.data.corpus_video import Filter, standard_tools
    from geneface.data.make_corpus import find_videos, make_corpus
    from geneface.hub import PERSONS_DIR

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
    print(summary.folder)
    print(summary.text())


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

    convert = convert_bfm if args.source.lower().endswith(".mat") else convert_ict
    convert(args.source, args.output)
    print(args.output)


def assets(args: argparse.Namespace) -> None:
    """The third-party models that training a person needs: which are here, from where, under which licence."""
    from geneface.assets import ASSETS, assets_folder, fetch_asset, find_asset, is_genuine

    print(f"in {assets_folder(args.assets)}:")
    for asset in ASSETS:
        path = find_asset(asset, args.assets)
        if args.fetch and path is None:
            path = fetch_asset(asset, args.assets)
        state = "missing" if path is None else "here" if is_genuine(asset, path) else "changed"
        print(f"{asset.name:<40} {state:<8} {asset.licence:<11} {asset.purpose}; {asset.url}")


def build_parser() -> argparse.ArgumentParser:
    parser = Parser(prog="geneface", description="Speech in, photo-realistic talking portrait out.")
    parser.add_argument("--version", action="version", version=f"geneface {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run: Callable[[argparse.Namespace], int | None]) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        sub.add_argument("--debug", action="store_true", help="show a traceback when something goes wrong")
        sub.set_defaults(run=run)
        return sub

    def add_token(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--token", metavar="T", help="access token of the Hub (default: that of hf auth login)")

    sub = command("generate", generate)
    sub.add_argument("audio", metavar="AUDIO", help="speech: wav, flac, mp3, m4a, ogg, or a video with sound")
    sub.add_argument(
        "-o", "--output", metavar="OUT.mp4", required=True, help="the video to write; .webm if transparent"
    )
    sub.add_argument("--person", metavar="P", help="name or folder of a person (default: the embedded one)")
    sub.add_argument("--seed", type=int, metavar="N", help="same seed, same device, same video (default: a new one)")
    sub.add_argument("--temperature", type=float, default=1.0, metavar="X", help="expressiveness, 0 to 2 (default: 1)")
    sub.add_argument("--pose", choices=("natural", "still"), default="natural", help="head motion")
    sub.add_argument("--blink", default="natural", metavar="B", help="natural (the default), none, or blinks a minute")
    sub.add_argument("--size", type=int, metavar="S", help="width and height in pixels (default: the person's own)")
    sub.add_argument("--background", metavar="FILE|#rrggbb|transparent", help="what is behind the person")
    sub.add_argument("--device", metavar="D", help="cuda, mps or cpu (default: the best that is there)")

    sub.add_argument("--no-mark", action="store_true", help='leave out the label "AI-generated" in the corner')

    sub = command("verify", verify)
    sub.add_argument("file", metavar="FILE", help="a video, of whatever tool")
    sub.add_argument(
        "--anchor", metavar="CA.pem", help="certificates of authorities to trust; the signer's must be one"
    )
    sub.add_argument("--json", action="store_true", help="machine-readable output")

    sub = command("preprocess", preprocess)
    sub.add_argument("video", metavar="VIDEO", help="one person who speaks to the camera, with sound")
    sub.add_argument("-o", "--output", metavar="DIR", required=True, help="the dataset to make")
    sub.add_argument(
        "--landmarks", choices=("mediapipe", "face-alignment"), default="mediapipe", help="their detector"
    )
    sub.add_argument("--face-model", metavar="FILE", default="", help="see geneface face-model (default: ICT-FaceKit)")
    sub.add_argument(
        "--assets", metavar="DIR", help="where third-party models are (default: GENEFACE_ASSETS or a cache)"
    )

    sub = command("corpus", corpus)
    sub.add_argument("videos", metavar="VIDEOS_DIR", help="talking videos, those of a speaker in a folder of its own")
    sub.add_argument("-o", "--output", metavar="DIR", required=True, help="the corpus to make")
    sub.add_argument("--language", default="", metavar="L", help="what is spoken, such as en")
    sub.add_argument("--min-face", type=int, default=60, metavar="PX", help="brows to chin (default: 60)")
    sub.add_argument("--max-yaw", type=float, default=40, metavar="DEG", help="turned to the side (default: 40)")
    sub.add_argument(
        "--assets", metavar="DIR", help="where third-party models are (default: GENEFACE_ASSETS or a cache)"
    )

    sub = command("train", train)
    sub.add_argument("source", metavar="VIDEO|DIR", help="one person who speaks to the camera, or their dataset")
    sub.add_argument("-o", "--output", metavar="BUNDLE", required=True, help="the folder to make")
    sub.add_argument("--name", default="", metavar="NAME", help="of the person (default: the bundle's)")
    sub.add_argument("--consent", default="", metavar="TEXT", help="what the person shown agreed to; in the card")
    sub.add_argument(
        "--renderer", default="", metavar="R", help="fast, which is real-time (the default), or nerf, the paper's"
    )
    sub.add_argument(
        "--adapter",
        default="",
        metavar="A",
        help="how speech is carried over to the person: post_net (the default), projection or fine_tune",
    )
    sub.add_argument("--resume", action="store_true", help="go on with a training that was stopped or killed")
    sub.add_argument("--device", metavar="D", help="cuda, mps or cpu (default: cuda if it is there)")
    sub.add_argument(
        "--assets", metavar="DIR", help="where third-party models are (default: GENEFACE_ASSETS or a cache)"
    )
    sub.add_argument("--steps", type=int, metavar="N", help="of the renderer; the post-net's in proportion")
    sub.add_argument("--config", metavar="FILE", help="settings that replace those of hub_configs/train")

    sub = command("face-model", face_model)
    sub.add_argument("source", metavar="ICT_DIR|BFM_FILE", help="a clone of ICT-FaceKit, or a BFM_model_front.mat")
    sub.add_argument("-o", "--output", metavar="FILE", required=True, help="the safetensors file to write")

    sub = command("assets", assets)
    sub.add_argument("--fetch", action="store_true", help="download those that are missing")
    sub.add_argument("--assets", metavar="DIR", help="where they are (default: GENEFACE_ASSETS or a cache)")

    sub = command("persons", persons)
    sub.add_argument("--search", metavar="Q", help="search the Hub for persons whose name has Q in it")
    add_token(sub)

    sub = command("pull", pull)
    sub.add_argument("person", metavar="P", help="Hub id of a person, like user/person")
    sub.add_argument("--revision", metavar="R", help="commit, branch or tag (default: the newest)")
    add_token(sub)

    sub = command("push", push)
    sub.add_argument("bundle", metavar="BUNDLE", help="name or folder of a person")
    sub.add_argument("repo_id", metavar="REPO_ID", help="where to publish it, like user/person")
    sub.add_argument("--consent", required=True, metavar="TEXT", help="what the person shown agreed to; in the card")
    sub.add_argument("--public", action="store_true", help="for everybody (default: private)")
    sub.add_argument("--link-generic", metavar="REPO", help="name shared components in REPO instead of carrying them")
    add_token(sub)

    sub = command("bench", bench)
    sub.add_argument("--person", metavar="P", help="name or folder of a person (default: the embedded one)")
    sub.add_argument("--seconds", type=float, default=10, metavar="X", help="of audio (default: 10)")
    sub.add_argument("--runs", type=int, default=3, metavar="N", help="of which the median is taken (default: 3)")
    sub.add_argument("--device", metavar="D", help="cuda, mps or cpu (default: the best that is there)")
    sub.add_argument("--json", action="store_true", help="machine-readable output")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    args = build_parser().parse_args(argv)
    try:
        return args.run(args) or 0
    except KeyboardInterrupt as stop:
        return _fail(str(stop) or "interrupted; nothing was written", INTERRUPTED, args)
    except InputError as error:
        return _fail(str(error), BAD_INPUT, args)
    except Exception as error:
        return _fail(f"{type(error).__name__}: {error} (run again with --debug to see where)", FAILURE, args)


def _fail(message: str, code: int, args: Any) -> int:
    if args.debug:
        import traceback

        traceback.print_exc()
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
