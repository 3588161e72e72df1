"""A person's own video says something else: `dub`."""

import argparse
import sys
from pathlib import Path

from geneface.commands.bars import Bars
from geneface.commands.register import Register, add_assets, add_device, say

PERSON = "_person"
"""What is put behind the output's name for the person that is trained on the video."""


def dub(args: argparse.Namespace) -> None:
    """A person's own video with a mouth that says another speech; without --person one is trained on it first."""
    from geneface.dubbing.dub import dub_video
    from geneface.errors import InputError
    from geneface.hub.persons import find_person
    from geneface.pipelines.pipeline import GeneFacePipeline

    if not args.consent.strip():
        raise InputError("--consent is missing: say what the person shown in the video has agreed to")
    person = find_person(args.person) if args.person else _trained(args)
    pipe = GeneFacePipeline.from_pretrained(person, device=args.device)
    result = dub_video(
        pipe,
        args.video,
        args.speech,
        args.output,
        consent=args.consent,
        seed=args.seed,
        mouth=args.mouth,
        keep_sound=args.keep_sound,
        mark=not args.no_mark,
        assets=args.assets and Path(args.assets),
        progress=Bars(),
    )
    for note in filter(None, (*result.notes, result.unsigned)):
        print(f"warning: {note}", file=sys.stderr)
    say(result.path, f"{result.frames} frames, {result.seconds:.2f} s in {result.elapsed:.1f} s, seed {result.seed}")


def _trained(args: argparse.Namespace) -> Path:
    """The person of the video, trained now unless it was for an earlier take."""
    from geneface.training.person import Request, train_person
    from geneface.training.run import TrainingFolder

    output = Path(args.output)
    bundle = output.with_name(output.stem + PERSON)
    if not bundle.is_dir():
        resume = TrainingFolder.of(bundle.absolute()).path.is_dir()
        assets = Path(args.assets) if args.assets else None
        train_person(
            Request(Path(args.video), bundle, consent=args.consent, device=args.device, assets=assets, resume=resume)
        )
        say(f"the person is kept in {bundle}: give it as --person for other speech")
    return bundle


def register(command: Register) -> None:
    sub = command("dub", dub)
    sub.add_argument("video", metavar="VIDEO", help="of one person; everything but the mouth stays as it is")
    sub.add_argument("speech", metavar="SPEECH", help="a recording of what the mouth shall say")
    sub.add_argument("-o", "--output", metavar="OUT.mp4", required=True, help="the video to write")
    sub.add_argument(
        "--person", metavar="P", help="the person shown, as geneface train made it (default: trained on the video)"
    )
    sub.add_argument("--consent", default="", metavar="TEXT", help="what the person shown has agreed to")
    sub.add_argument("--keep-sound", action="store_true", help="keep the video's own sound, quietly, under the speech")
    sub.add_argument("--seed", type=int, metavar="N", help="the same seed gives the same mouth")
    sub.add_argument("--mouth", type=float, default=1.0, metavar="X", help="how far it opens, 0 to 1.5 (default: 1)")
    add_device(sub)
    add_assets(sub)
    sub.add_argument("--no-mark", action="store_true", help='leave out the label "AI-generated" in the corner')
