"""What the Train tab says and looks like: a training in words and HTML."""

from html import escape

from geneface.bundles.card import Figure
from geneface.resources import web
from geneface.training.run import Stage
from geneface.ui.job_status import LONGEST, SHORTEST, JobStatus
from geneface.utils.words import about

INTRO = web("train_intro.html").format(shortest=SHORTEST, longest=LONGEST // 60)
CONSENT = (
    "I am [full name], the person in this video. I agree that GeneFace learns my face from it, and that videos of me "
    "speaking are made with the result."
)
UNFILLED = "[full name]"
DISCARD = "<b>Discard this training?</b> The video and all that was learned from it are deleted."
LOOK = web("train_look.html")
STATES = {
    "preparing": "Preparing the video",
    "review": "Your decision",
    "training": "Training",
    "stopping": "Stopping",
    "stopped": "Stopped",
    "failed": "Failed",
    "done": "Ready",
}
STAGES: dict[str, str] = {
    Stage.PREPROCESS: "Prepare the video",
    Stage.RENDERER: "Learn the face",
    Stage.POST_NET: "Learn to speak",
    Stage.BUNDLE: "Put it together",
}
REGIONS = {"full": "Whole picture", "head": "Head", "mouth": "Mouth"}
PREVIEW = "<p class='gf-small'>Real above, generated below: moments of the video that the training does not see.</p>"
MEANING = (
    '<p class="gf-small">How close a generated picture comes to the real one (PSNR), on parts of the video that the '
    "training does not see. More is better.</p>"
)
MEANWHILE = (
    '<p class="gf-small">You may close this page: the work goes on, and is found here again. Making videos is slower '
    "meanwhile, as both share this machine.</p>"
)
LIKENESS = ((32.0, "lifelike"), (28.0, "very close"), (25.0, "close"), (22.0, "still soft"), (0.0, "rough"))
"""PSNR in dB from which a picture is called so."""


def state_card(status: JobStatus, figures: dict[str, Figure | str] | None = None) -> str:
    """The state of a training, as HTML; `figures` are those of the card of a person who is ready."""
    parts = [
        f'<div class="gf-card"><header><h2>{escape(status.name)}</h2>'
        f'<span class="gf-state gf-{status.state}" role="status">{STATES[status.state]}</span></header>'
    ]
    if status.state == "done":
        parts.append(f"<p>{escape(status.name)} is ready to speak, with any voice.</p>{card_tiles(figures or {})}")
        return "".join([*parts, "</div>"])
    if status.error:
        parts.append(f'<p class="gf-error">{escape(status.error)}</p>')
    if status.state == "review":
        parts += [warning_list(status.warnings), LOOK]
    else:
        parts.append(_stages(status))
        if status.running or status.steps:
            parts += [_progress(status), figure_tiles(status.figures)]
    if status.state in ("preparing", "training"):
        parts.append(MEANWHILE)
    return "".join([*parts, "</div>"])


def _stages(status: JobStatus) -> str:
    names = list(STAGES)
    at = names.index(status.stage) if status.stage in names else 0
    marks = ["done" if number < at else "now" if number == at else "" for number in range(len(names))]
    current = [' aria-current="step"' if mark == "now" else "" for mark in marks]
    items = (
        f'<li class="gf-{mark}"{now}>{STAGES[name]}</li>'
        for name, mark, now in zip(names, marks, current, strict=True)
    )
    return f'<ol class="gf-stages">{"".join(items)}</ol>'


def _progress(status: JobStatus) -> str:
    share = min(100 * status.step / status.steps, 100.0) if status.steps else 0.0
    detail = status.detail or STAGES.get(status.stage, "Starting")
    count = f"step {status.step:,} of {status.steps:,}" if status.step else ""
    if status.state == "preparing" and status.steps:
        count = f"part {status.step + 1} of {status.steps}"
    left = ""
    if status.state == "training":
        left = "working out how long" if status.seconds_left is None else f"{about(status.seconds_left)} left"
    if status.state == "stopping":
        detail, left = "Keeping what has been learned", ""
    if status.state == "stopped":
        detail, left = "Nothing is lost", "Go on whenever you like."
    waiting = status.running and not status.step
    moving, width = (" gf-bar-unknown", "") if waiting else ("", f' style="width: {share:.1f}%"')
    line = " · ".join(filter(None, (detail[:1].upper() + detail[1:], count)))
    return (
        f'<div class="gf-bar{moving}" role="progressbar" aria-label="Progress of this stage" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{share:.0f}"><i{width}></i></div>'
        f'<p class="gf-line"><span>{escape(line)}</span><span>{left}</span></p>'
    )


def figure_tiles(figures: dict[str, float]) -> str:
    """How close the generated pictures are to real ones, in words and in dB."""
    known = {name: figures[name] for name in REGIONS if isinstance(figures.get(name), int | float)}
    if not known:
        return ""
    tiles = (_tile(REGIONS[name], likeness(value), f"{value:.1f} dB") for name, value in known.items())
    return f'<div class="gf-tiles">{"".join(tiles)}</div>{MEANING}'


def card_tiles(figures: dict[str, Figure | str]) -> str:
    """The figures of a person's card."""
    tiles = []
    for what, value in figures.items():
        if isinstance(value, Figure) and value.unit == "dB":
            tiles.append(_tile(what.removeprefix("PSNR, ").capitalize(), likeness(value.value), str(value)))
        else:
            tiles.append(_tile(what, str(value)))
    return f'<div class="gf-tiles">{"".join(tiles)}</div>{MEANING}' if tiles else ""


def _tile(what: str, value: str, small: str = "") -> str:
    return f"<div><span>{escape(what)}</span><b>{escape(value)}</b><span>{escape(small)}</span></div>"


def likeness(psnr: float) -> str:
    return next((words for least, words in LIKENESS if psnr >= least), "rough")


def warning_list(warnings: list[str]) -> str:
    if not warnings:
        return ""
    items = "".join(f"<li>{escape(text[:1].upper() + text[1:])}.</li>" for text in warnings)
    return f'<div class="gf-warnings"><b>This may spoil the result</b><ul>{items}</ul></div>'


def notice(sentence: str) -> str:
    return f'<p class="gf-note">{sentence}</p>' if sentence else ""


def aside(sentence: str) -> str:
    return f'<p class="gf-small">{sentence}</p>' if sentence else ""


def published(address: str, private: bool) -> str:
    """`address`: that of the commit."""
    place = escape(address.split("/commit/")[0], quote=True)
    seen = "Only you and those whom you admit can see it." if private else "Everybody can see it."
    return (
        f'<p class="gf-note gf-good">Published at <a href="{place}" target="_blank" rel="noopener">{place}</a>. '
        f"{seen}</p>"
    )


def unfinished_label(status: JobStatus) -> str:
    """ "Anna: stopped, 30% of learn the face"."""
    words = {"review": "waits for your decision", "failed": "failed"}.get(status.state, STATES[status.state].lower())
    if status.steps and status.stage in STAGES:
        words += f", {status.step / status.steps:.0%} of “{STAGES[status.stage].lower()}”"
    return f"{status.name}: {words}"


TRAIN_CSS = web("train.css")
