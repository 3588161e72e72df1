"""Videos of several methods side by side: `evaluate`, `study`."""

import argparse
import sys
from collections.abc import Iterable
from typing import TypeVar

from geneface.commands.register import Register, add_assets

T = TypeVar("T")


def evaluate(args: argparse.Namespace) -> None:
    """Compare generated videos, of any method, with real ones: image, lips, motion, as a table and a report."""
    from tqdm import tqdm

    from geneface.evaluation.evaluate import evaluate
    from geneface.evaluation.report import as_json, check_report, write_report
    from geneface.evaluation.table import as_text, make_table

    def progress(items: Iterable[T], name: str) -> Iterable[T]:
        return tqdm(items, desc=name, unit="frame", leave=False, disable=None)

    if args.output:
        check_report(args.output)
    found = evaluate(args.reference, args.generated, assets_folder=args.assets, progress=progress)
    if args.output:
        folder = write_report(found, args.output, progress)
        print(f"look at {folder / 'index.html'}", file=sys.stderr)
    for note in found.notes:
        print(f"note: {note}", file=sys.stderr)
    print(as_json(found) if args.json else as_text(make_table(found)))


def study(args: argparse.Namespace) -> None:
    """A blind user study: shows clips of several methods, takes scores, gives mean opinion scores with intervals."""
    if not args.results:
        from geneface.ui.study import serve_study

        return serve_study(args.folder, args.plan, host=args.host, port=args.port)
    import json

    from geneface.evaluation.study_results import as_markdown, read_results, write_page

    results = read_results(args.folder)
    page = write_page(results, args.folder)
    print(json.dumps(results.as_json(), indent=2) if args.json else f"{as_markdown(results)}\nlook at {page}")


def register(command: Register) -> None:
    sub = command("evaluate", evaluate)
    sub.add_argument("reference", metavar="REFERENCE", help="the real video, or a folder with one for each clip")
    sub.add_argument(
        "generated",
        metavar="GENERATED",
        help="a video, a folder of a method's videos, or a folder with such a folder for each method; videos are "
        "matched by their names: REFERENCE/clip.mp4 and GENERATED/method/clip.mp4",
    )
    sub.add_argument("-o", "--output", metavar="REPORT_DIR", help="write a report to look at: page, Markdown and JSON")
    sub.add_argument("--json", action="store_true", help="machine-readable output")
    add_assets(sub)
    sub = command("study", study)
    sub.add_argument("folder", metavar="FOLDER", help="has a sub-folder for each method, with clips of the same names")
    sub.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for all (default: %(default)s)"
    )
    sub.add_argument("--port", type=int, help="port to listen on (default: the first free one from 7860)")
    sub.add_argument(
        "--plan",
        nargs="+",
        default=[],
        metavar="NAME=N",
        help="clips, languages, raters (default: what was given last, at first 10, 3 and 20, as in the paper)",
    )
    sub.add_argument("--results", action="store_true", help="print the scores so far, and write FOLDER/results.html")
    sub.add_argument("--json", action="store_true", help="with --results: machine-readable output")
