"""A person speaks: `generate`, `verify`, `bench`."""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from geneface.commands.register import Register, add_device, add_options, add_person, say
from geneface.errors import InputError, print_error
from geneface.units import FPS

if TYPE_CHECKING:
    from collections.abc import Callable

    from geneface.batch.rows import Row
    from geneface.pipeline import GeneFacePipeline

ALTERED, FAILED = 1, 1


def generate(args: argparse.Namespace) -> int:
    """A recording, or a text, in; a talking portrait out. Several of them, or a list, go into a folder."""
    from geneface.batch.rows import Row, is_list, rows_of
    from geneface.hub import DEFAULT_PERSON
    from geneface.options import GenerationOptions, specs

    if bool(args.audio) == (args.text is not None):
        raise InputError("give a recording, or a text with --text, and not both")
    options = GenerationOptions(**{name: getattr(args, name) for name in specs()})
    row = Row(
        person=args.person or DEFAULT_PERSON,
        voice=args.voice or "",
        subtitles=args.subtitles or "",
        transcript=args.transcript or "",
        options=options.changed(),
    )
    if args.text is not None:
        return _generate_one(replace(row, text=_text(args.text)), args)
    if len(args.audio) == 1 and not is_list(args.audio[0]) and not os.path.isdir(args.output):
        return _generate_one(replace(row, audio=args.audio[0]), args)
    return _generate_many(rows_of(args.audio, row), args)


def _text(text: str) -> str:
    """`-` is what comes through a pipe."""
    return sys.stdin.read() if text == "-" else text


def _loader(args: argparse.Namespace) -> "Callable[[str], GeneFacePipeline]":
    def load(person: str) -> "GeneFacePipeline":
        from geneface.hub import find_person
        from geneface.pipeline import GeneFacePipeline

        return GeneFacePipeline.from_pretrained(find_person(person), device=args.device)

    return load


def _generate_one(row: "Row", args: argparse.Namespace) -> int:
    from geneface.batch.run import generate_row
    from geneface.hub import find_person

    find_person(row.person)
    result = generate_row(row, Path(args.output), lambda: _loader(args)(row.person), mark=not args.no_mark)
    for note in filter(None, (*result.notes, result.unsigned)):
        print(f"warning: {note}", file=sys.stderr)
    say(
        result.path,
        f"{result.frames} frames, {result.seconds:.2f} s of video in {result.elapsed:.1f} s "
        f"({result.frames_per_second:.1f} frames/s), seed {result.seed}",
    )
    return 0


def _generate_many(rows: "list[Row]", args: argparse.Namespace) -> int:
    from geneface.batch.manifest import plan_jobs
    from geneface.batch.run import Step, run_batch
    from geneface.words import about

    def tell(step: Step) -> None:
        outcome, place = step.outcome, f"[{step.number}/{step.total}] {Path(args.output) / step.outcome.file}"
        for note in outcome.notes:
            print(f"warning: {outcome.file}: {note}", file=sys.stderr)
        if outcome.state == "failed":
            print_error(f"{place}: {outcome.error}")
        else:
            rest = f"; {about(step.left)} left" if step.number < step.total else ""
            say(f"{place}, {outcome.frames / FPS:.1f} s of video in {outcome.elapsed:.1f} s{rest}")

    if args.output.lower().endswith((".mp4", ".webm")):
        raise InputError(f"several videos go into a folder, and {args.output} is the name of one; name a folder")
    summary = run_batch(plan_jobs(rows, not args.no_mark), args.output, _loader(args), on_step=tell)
    kept = f", {summary.kept} were there already" if summary.kept else ""
    say(f"{summary.made} made{kept}, {summary.failed} failed; in {args.output}")
    return FAILED if summary.failed else 0


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

    from geneface.bench import as_table, run_bench
    from geneface.hub import find_person
    from geneface.pipeline import GeneFacePipeline

    pipe = GeneFacePipeline.from_pretrained(find_person(args.person), device=args.device)
    report = run_bench(pipe, args.seconds, args.runs)
    print(json.dumps(vars(report), indent=2) if args.json else as_table(report))


def register(command: Register) -> None:
    sub = command("generate", generate)
    sub.add_argument(
        "audio",
        metavar="AUDIO",
        nargs="*",
        help="speech: wav, flac, mp3, m4a, ogg, a video with sound, - for a pipe; several, or a .csv or .jsonl list",
    )
    sub.add_argument("--text", metavar="TEXT", help="what to say in place of a recording, or - for a pipe")
    sub.add_argument("--voice", metavar="V", help="that says it (default: the person's), such as af_heart, bm_george")
    sub.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        required=True,
        help="the .mp4 to write, .webm if transparent; for several the folder, where the same command goes on later",
    )
    add_person(sub)
    add_options(sub)
    add_device(sub)
    sub.add_argument("--subtitles", choices=("burn", "srt", "vtt"), help="in the pictures, or in a file beside")
    sub.add_argument(
        "--transcript", metavar="FILE", help="what the recording says, for subtitles: .srt, .vtt, or plain text"
    )
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
