"""Mean opinion scores of a study, with 95% intervals, as figures, Markdown and a page to look at.

Raters, not votes, are the independent observations: each rater's scores of a method are averaged first; the score is
the mean of these, its interval Student's t over them (n - 1 degrees of freedom).
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path

from geneface.evaluation.study import QUESTIONS, Study, find_clips
from geneface.evaluation.study_votes import Vote, Votes
from geneface.resources import web
from geneface.utils.files import write_text

HOW = (
    "Mean opinion scores from 1 (bad) to 5 (excellent). Each rater's scores of a method are averaged first; "
    "± is half of the 95% t-interval over raters."
)


@dataclass(frozen=True)
class Score:
    mean: float
    half: float | None
    """of the 95% interval; None for a single rater"""
    raters: int


@dataclass(frozen=True)
class Results:
    scores: dict[str, dict[str, Score]]
    """by method, then by question"""
    votes: int
    finished: int
    """raters who have rated all that the plan has for them"""
    begun: int
    """raters who have not yet; their votes count"""
    wanted: int
    lacks: list[str]

    @property
    def missing(self) -> int:
        """Raters whom the plan still waits for."""
        return max(0, self.wanted - self.finished)

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "missing": self.missing}


def mean_score(means: Sequence[float]) -> Score:
    """Mean of the raters' means and half of its 95% t-interval."""
    from scipy.stats import t

    count = len(means)
    mean = math.fsum(means) / count
    if count == 1:
        return Score(mean, None, 1)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in means) / (count - 1))
    return Score(mean, float(t.ppf(0.975, count - 1)) * deviation / math.sqrt(count), count)


def tally(study: Study, votes: Sequence[Vote]) -> Results:
    """The results so far; votes on what is no longer in the folder are left out."""
    there = set(study.items.values())
    votes = [vote for vote in votes if vote.item in there]
    given: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for vote in votes:
        for question, score in vote.scores.items():
            given[vote.item.method, question][vote.rater].append(score)
    scores = {
        method: {
            question: mean_score([sum(own) / len(own) for own in given[method, question].values()])
            for question in QUESTIONS
        }
        for method in study.methods
        if given[method, next(iter(QUESTIONS))]
    }
    rated = defaultdict(set)
    for vote in votes:
        rated[vote.rater].add(vote.item)
    finished = sum(rated[rater].issuperset(study.order(rater)) for rater in rated)
    return Results(scores, len(votes), finished, len(rated) - finished, study.plan.raters, study.lacks())


def read_results(folder: str | Path) -> Results:
    """The results of the study in a folder so far."""
    find_clips(Path(folder))
    votes = Votes(folder)
    return tally(Study(folder, votes.plan, votes.secret), votes.all())


def write_page(results: Results, folder: str | Path) -> Path:
    """`results.html` in a folder."""
    path = Path(folder) / "results.html"
    write_text(path, as_page(results))
    return path


def state(results: Results) -> str:
    """How far the study is, in a sentence."""
    missing = f"{results.missing} still missing" if results.missing else "none missing"
    begun = f", and {results.begun} under way (counted)" if results.begun else ""
    return f"{results.finished} of {results.wanted} raters have finished, {missing}{begun}; {results.votes} votes."


def _cell(score: Score) -> str:
    return f"{score.mean:.2f}" + (f" ± {score.half:.2f}" if score.half is not None else "")


def as_markdown(results: Results) -> str:
    rows = [["method", *QUESTIONS.values(), "raters"]]
    for method, scores in results.scores.items():
        raters = next(iter(scores.values())).raters
        rows.append([method.replace("|", "\\|"), *(_cell(scores[question]) for question in QUESTIONS), str(raters)])
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "| --- " * len(rows[0]) + "|")
    notes = "".join(f"\nNote: {text}.\n" for text in results.lacks)
    return "\n".join(lines) + f"\n\n{state(results)} {HOW}\n{notes}"


STYLE = web("study_results.css")


def as_page(results: Results) -> str:
    """One HTML file that needs nothing else: the table, and each question's scores with their intervals."""
    head = "".join(f"<th>{name}</th>" for name in ("Method", *QUESTIONS.values(), "Raters"))
    body = "".join(
        f"<tr><td>{escape(method)}</td>{''.join(f'<td>{_cell(scores[question])}</td>' for question in QUESTIONS)}"
        f"<td>{next(iter(scores.values())).raters}</td></tr>"
        for method, scores in results.scores.items()
    )
    plots = "".join(_plot(name, question, results) for question, name in QUESTIONS.items())
    notes = "".join(f'<p class="faint">Note: {escape(text)}.</p>' for text in results.lacks)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>User study: results</title><style>{STYLE}</style><h1>User study: results</h1>"
        f'<p>{state(results)}</p><p class="faint">{HOW}</p>{notes}'
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{plots}</html>\n'
    )


def _plot(name: str, question: str, results: Results) -> str:
    rows = []
    for method, scores in results.scores.items():
        score = scores[question]
        # 1 to 5 are 0 to 100; an interval may reach beyond the scale, its picture does not.
        place, half = 25 * (score.mean - 1), 25 * (score.half or 0)
        low, high = max(0.0, place - half), min(100.0, place + half)
        grid = "".join(f'<line x1="{x}" x2="{x}" y1="0" y2="26"/>' for x in (0, 25, 50, 75, 100))
        span = f'<line class="span" x1="{low:.2f}" x2="{high:.2f}" y1="13" y2="13"/>' if score.half else ""
        rows.append(
            f'<div class="row"><span>{escape(method)}</span><div class="dot" role="img" aria-label="{_cell(score)}">'
            f'<i style="left:{place:.2f}%"></i><svg viewBox="0 0 100 26" preserveAspectRatio="none">{grid}{span}</svg>'
            "</div></div>"
        )
    axis = "".join(f"<span>{number}</span>" for number in range(1, 6))
    return f'<h2>{name}</h2>{"".join(rows)}<div class="row"><span></span><div class="axis">{axis}</div></div>'
