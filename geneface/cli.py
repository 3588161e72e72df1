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
    from geneface.generate import generate_video
    from geneface.hub import find_person
    from geneface.media.audio import open_audio
    from geneface.media.video import check_output

    # What can be wrong with the files is said before the models are loaded.
    output = check_output(args.output)
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
        )
    print(result.path)
    print(
        f"{result.frames} frames, {result.seconds:.2f} s of video in {result.elapsed:.1f} s "
        f"({result.frames_per_second:.1f} frames/s), seed {result.seed}"
    )


def persons(args: argparse.Namespace) -> None:
    """Name and place of each person on this machine."""
    from geneface.hub import PERSONS_DIR, list_persons

    names = list_persons()
    width = max((len(name) for name in names), default=0)
    for name in names:
        print(f"{name:<{width}}  {PERSONS_DIR / name}")


def bench(args: argparse.Namespace) -> None:
    """How fast this machine is: each stage, and a recording to a finished video."""
    import json

    from geneface.bench import as_table, run_bench
    from geneface.hub import find_person
    from geneface.pipeline import GeneFacePipeline

    pipe = GeneFacePipeline.from_pretrained(find_person(args.person), device=args.device)
    report = run_bench(pipe, args.seconds, args.runs)
    print(json.dumps(vars(report), indent=2) if args.json else as_table(report))


def build_parser() -> argparse.ArgumentParser:
    parser = Parser(prog="geneface", description="Speech in, photo-realistic talking portrait out.")
    parser.add_argument("--version", action="version", version=f"geneface {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run: Callable[[argparse.Namespace], None]) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        sub.add_argument("--debug", action="store_true", help="show a traceback when something goes wrong")
        sub.set_defaults(run=run)
        return sub

    sub = command("generate", generate)
    sub.add_argument("audio", metavar="AUDIO", help="speech: wav, flac, mp3, m4a, ogg, or a video with sound")
    sub.add_argument("-o", "--output", metavar="OUT.mp4", required=True, help="the video to write")
    sub.add_argument("--person", metavar="P", help="name or folder of a person (default: the embedded one)")
    sub.add_argument("--seed", type=int, metavar="N", help="same seed, same device, same video (default: a new one)")
    sub.add_argument("--temperature", type=float, default=1.0, metavar="X", help="expressiveness, 0 to 2 (default: 1)")
    sub.add_argument("--pose", choices=("natural", "still"), default="natural", help="head motion")
    sub.add_argument("--blink", choices=("natural", "none"), default="natural", help="eye blinks")
    sub.add_argument("--size", type=int, metavar="S", help="width and height in pixels (default: the person's own)")
    sub.add_argument("--background", metavar="FILE|#rrggbb", help="picture or colour behind the person")
    sub.add_argument("--device", metavar="D", help="cuda, mps or cpu (default: the best that is there)")

    command("persons", persons)

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
        args.run(args)
    except KeyboardInterrupt:
        return _fail("interrupted; nothing was written", INTERRUPTED, args)
    except InputError as error:
        return _fail(str(error), BAD_INPUT, args)
    except Exception as error:
        return _fail(f"{type(error).__name__}: {error} (run again with --debug to see where)", FAILURE, args)
    return 0


def _fail(message: str, code: int, args: Any) -> int:
    if args.debug:
        import traceback

        traceback.print_exc()
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
