"""A person speaks: `generate`, `verify`, `bench`."""

import argparse
import sys
from typing import TYPE_CHECKING

from geneface.commands.register import Register, add_device, add_options, add_person, say

if TYPE_CHECKING:
    from geneface.pipelines.pipeline import GeneFacePipeline

ALTERED = 1


def generate(args: argparse.Namespace) -> None:
    """A recording in, a talking portrait out."""
    from geneface.hub.persons import find_person
    from geneface.options import GenerationOptions, specs
    from geneface.pipelines.generate import generate_video

    person = find_person(args.person)

    def load() -> "GeneFacePipeline":
        from geneface.pipelines.pipeline import GeneFacePipeline

        return GeneFacePipeline.from_pretrained(person, device=args.device)

    options = GenerationOptions(**{name: getattr(args, name) for name in specs()})
    result = generate_video(load, args.audio, args.output, options=options, mark=not args.no_mark)
    for note in filter(None, (*result.notes, result.unsigned)):
        print(f"warning: {note}", file=sys.stderr)
    say(
        result.path,
        f"{result.frames} frames, {result.seconds:.2f} s of video in {result.elapsed:.1f} s "
        f"({result.frames_per_second:.1f} frames/s), seed {result.seed}",
    )


def verify(args: argparse.Namespace) -> int:
    """Who signed a video, how it was made, whether it was altered, its watermark; exit code 0 if all is well."""
    import json

    from geneface.media.check import check_file, watermark_words
    from geneface.media.verdict import advice, facts, headline

    check = check_file(args.file, args.anchor)
    found, marked = check.provenance, check.watermark is not None
    if args.json:
        print(json.dumps(check.report(), indent=2))
    else:
        print(f"{args.file}: {headline(found, marked)}")
        print(advice(found, args.anchor is not None, marked))
        for name, text in [*facts(found), ("Watermark", watermark_words(check))]:
            print(f"{name:<10} {text}")
    return 0 if found.state == "valid" and (found.trusted or args.anchor is None) else ALTERED


def bench(args: argparse.Namespace) -> None:
    """How fast this machine is: each stage, and a recording to a finished video."""
    import json

    from geneface.hub.persons import find_person
    from geneface.pipelines.bench import as_table, run_bench
    from geneface.pipelines.pipeline import GeneFacePipeline

    pipe = GeneFacePipeline.from_pretrained(find_person(args.person), device=args.device)
    report = run_bench(pipe, args.seconds, args.runs)
    print(json.dumps(vars(report), indent=2) if args.json else as_table(report))


def register(command: Register) -> None:
    sub = command("generate", generate)
    sub.add_argument(
        "audio", metavar="AUDIO", help="speech: wav, flac, mp3, m4a, ogg, a video with sound, or - for a pipe"
    )
    sub.add_argument(
        "-o", "--output", metavar="OUT.mp4", required=True, help="the video to write; .webm if transparent"
    )
    add_person(sub)
    add_options(sub)
    add_device(sub)
    sub.add_argument("--no-mark", action="store_true", help='leave out the label "AI-generated" in the corner')

    sub = command("verify", verify)
    sub.add_argument("file", metavar="FILE", help="a video, of whatever tool")
    sub.add_argument(
        "--anchor", metavar="CA.pem", help="certificates of authorities to trust; the signer's must be one"
    )
    sub.add_argument("--json", action="store_true", help="machine-readable output")
    sub = command("bench", bench)
    add_person(sub)
    sub.add_argument("--seconds", type=float, default=10, metavar="X", help="of audio (default: 10)")
    sub.add_argument("--runs", type=int, default=3, metavar="N", help="of which the median is taken (default: 3)")
    add_device(sub)
    sub.add_argument("--json", action="store_true", help="machine-readable output")
