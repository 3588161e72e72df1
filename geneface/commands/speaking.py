"""A person speaks: `generate`, `verify`, `bench`."""

import argparse
import sys

from geneface.commands.register import Register, add_device, add_person, say

ALTERED = 1


def generate(args: argparse.Namespace) -> None:
    """A recording in, a talking portrait out."""
    from geneface.generate import generate_video, output_writer
    from geneface.hub import find_person
    from geneface.media.audio import open_audio
    from geneface.media.video import check_output

    # What can be wrong with the files is said before the models are loaded.
    suffix = output_writer(args.background).suffix
    output = check_output(args.output, suffix, [args.audio, args.background])
    person = find_person(args.person)
    with open_audio(args.audio) as audio:
        for note in audio.notes:
            print(f"warning: {note}", file=sys.stderr)
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
    say(
        result.path,
        f"{result.frames} frames, {result.seconds:.2f} s of video in {result.elapsed:.1f} s "
        f"({result.frames_per_second:.1f} frames/s), seed {result.seed}",
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
        "audio", metavar="AUDIO", help="speech: wav, flac, mp3, m4a, ogg, a video with sound, or - for a pipe"
    )
    sub.add_argument(
        "-o", "--output", metavar="OUT.mp4", required=True, help="the video to write; .webm if transparent"
    )
    add_person(sub)
    sub.add_argument("--seed", type=int, metavar="N", help="same seed, same device, same video (default: a new one)")
    sub.add_argument("--temperature", type=float, default=1.0, metavar="X", help="expressiveness, 0 to 2 (default: 1)")
    sub.add_argument("--pose", choices=("natural", "still"), default="natural", help="head motion")
    sub.add_argument("--blink", default="natural", metavar="B", help="natural (the default), none, or blinks a minute")
    sub.add_argument("--size", type=int, metavar="S", help="width and height in pixels (default: the person's own)")
    sub.add_argument("--background", metavar="FILE|#rrggbb|transparent", help="what is behind the person")
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
