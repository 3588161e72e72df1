"""The whole campaign, or a part of it, and its figures as a table."""

import argparse
import os
import sys
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS)]
os.environ.setdefault("PYTHONWARNINGS", "ignore")


def main() -> int:
    from tests.campaign.fuzz import again, run
    from tests.campaign.kills import KILLS
    from tests.campaign.subjects import SUBJECTS

    parser = argparse.ArgumentParser(
        prog="python -m tests.campaign", description=sys.modules["tests.campaign"].__doc__
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tries", type=int, default=300, help="of each subject (default: %(default)s)")
    parser.add_argument("--kills", type=int, default=10, help="of each command (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="for all of it together")
    parser.add_argument("--only", nargs="+", choices=[*SUBJECTS, *KILLS], default=[*SUBJECTS, *KILLS])
    parser.add_argument("--number", type=int, help="this try of the subject alone, with its traceback")
    args = parser.parse_args()
    if args.number is not None:
        again(args.only[0], args.seed, args.number)
        return 0
    begun, left, bad, killing = time.monotonic(), len(args.only), 0, False
    print("| subject | tries | taken | refused in a sentence | wrong | slowest | peak memory |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    notes: list[str] = []
    for name in args.only:
        seconds = (args.minutes * 60 - (time.monotonic() - begun)) / left
        left -= 1
        if name in SUBJECTS:
            figures = run(name, args.seed, args.tries, seconds)
            print(figures.row(), flush=True)
            bad += len(figures.wrong)
            notes += [f"{name} {number}: {words}" for number, words in figures.wrong]
        else:
            if not killing:
                print("\n| kill -9 of | tries | killed | went on to the same end | wrong | undisturbed |")
                print("| --- | --- | --- | --- | --- | --- |")
            killing = True
            kills = KILLS[name](args.seed, args.kills, seconds)
            print(kills.row(), flush=True)
            bad += len(kills.wrong)
            notes += [f"{name}: {words}" for words in kills.wrong]
    print("\n" + "\n".join(notes) if notes else "\nnothing was wrong")
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main())
