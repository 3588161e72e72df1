"""What the Train tab says and looks like: a training in words and HTML."""

from html import escape

from geneface.card import Figure
from geneface.ui.job_status import LONGEST, SHORTEST, JobStatus
from geneface.words import about

INTRO = f"""
<div class="gf-intro">
  <h2>Train a person of your own</h2>
  <p>A video of someone speaking is enough. GeneFace learns the face and how it moves; nothing leaves this machine.</p>
  <ul class="gf-hints">
    <li><b>{SHORTEST} seconds to {LONGEST // 60} minutes</b><span>Two or more minutes of speech are best.</span></li>
    <li><b>One face, seen from the front</b><span>The whole head and the shoulders, never hidden by hands.</span></li>
    <li><b>Even light, still camera</b><span>One shot without cuts, before a background that rests.</span></li>
    <li><b>With sound</b><span>A quiet room, and the voice of the person you see.</span></li>
  </ul>
</div>
"""
CONSENT = (
    "I am [full name], the person in this video. I agree that GeneFace learns my face from it, and that videos of me "
    "speaking are made with the result."
)
UNFILLED = "[full name]"
DISCARD = "<b>Discard this training?</b> The video and all that was learned from it are deleted."
LOOK = """
<div class="gf-look"><b>Look at the overview below before you start.</b>
<ul><li>Are the green points on the eyes, nose and lips in every picture?</li>
<li>Does the grey face turn, open its mouth and shut its eyes like the person?</li>
<li>Is the head tinted orange, and the shoulders blue?</li></ul></div>
"""
STATES = {
    "preparing": "Preparing the video",
    "review": "Your decision",
    "training": "Training",
    "stopping": "Stopping",
    "stopped": "Stopped",
    "failed": "Failed",
    "done": "Ready",
}
STAGES = {
    "preprocess": "Prepare the video",
    "renderer": "Learn the face",
    "post_net": "Learn to speak",
    "bundle": "Put it together",
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


TRAIN_CSS = """
.gf-flush, .gf-flush > div:not(.gf-card) { padding: 0 !important; }
.gf-form input[type=checkbox], .gf-publish input[type=checkbox] { border: 1px solid var(--body-text-color-subdued); }
.gf-intro h2, .gf-card h2 { font-size: 1.25rem; font-weight: 700; letter-spacing: -0.01em; margin: 0; }
.gf-intro p { margin: 4px 0 12px; color: var(--body-text-color-subdued); }
.gf-hints { display: grid; grid-template-columns: repeat(4, 1fr); gap: 10px; list-style: none; margin: 0; padding: 0; }
.gf-hints li { margin: 0; padding: 10px 12px; border-radius: 14px; background: var(--block-background-fill); }
.gf-hints b { display: block; font-size: 0.92rem; }
.gf-hints span { font-size: 0.84rem; line-height: 1.4; color: var(--body-text-color-subdued); }
.gf-card { padding: 16px 18px !important; border-radius: 18px; background: var(--block-background-fill);
  border: 1px solid var(--block-border-color); }
.gf-card header { display: flex; align-items: center; justify-content: space-between; gap: 12px; margin-bottom: 10px; }
.gf-card p { margin: 8px 0 0; }
.gf-state { flex: none; padding: 3px 12px; border-radius: 999px; font-size: 0.84rem; font-weight: 650; color: #fff;
  background: #78716c; }
.gf-state.gf-preparing, .gf-state.gf-training { background: #d63a70; }
.gf-state.gf-review { background: #b45309; }
.gf-state.gf-done { background: #15803d; }
.gf-state.gf-failed { background: #b91c1c; }
.gf-stages { display: flex; gap: 8px; list-style: none; margin: 4px 0 12px; padding: 0; counter-reset: stage; }
.gf-stages li { flex: 1; margin: 0; font-size: 0.86rem; color: var(--body-text-color-subdued); display: flex; gap: 8px;
  align-items: center; counter-increment: stage; }
.gf-stages li::before { content: counter(stage); flex: none; width: 24px; height: 24px; border-radius: 50%;
  display: grid; place-items: center; font-size: 0.8rem; font-weight: 650; background: var(--border-color-primary); }
.gf-stages .gf-done::before { content: "\\2713"; background: #15803d; color: #fff; }
.gf-stages .gf-now { color: var(--body-text-color); font-weight: 650; }
.gf-stages .gf-now::before { background: #d63a70; color: #fff; }
.gf-line { display: flex; justify-content: space-between; gap: 12px; font-size: 0.92rem; }
.gf-line span:last-child { flex: none; color: var(--body-text-color-subdued); }
.gf-tiles { display: grid; grid-template-columns: repeat(3, 1fr); gap: 10px; margin-top: 12px; }
.gf-tiles div { padding: 10px 12px; border-radius: 14px; background: var(--background-fill-secondary); }
.gf-tiles span { display: block; font-size: 0.82rem; color: var(--body-text-color-subdued); }
.gf-tiles b { display: block; font-size: 1rem; }
.gf-small { font-size: 0.82rem; line-height: 1.4; color: var(--body-text-color-subdued); }
.gf-look, .gf-warnings { margin-top: 10px; font-size: 0.92rem; }
.gf-look ul, .gf-warnings ul { margin: 4px 0 0; padding-left: 20px; list-style: disc; }
.gf-warnings, .gf-note, .gf-error { padding: 10px 14px; border-radius: 14px; }
.gf-warnings, .gf-note { background: #f59e0b22; border: 1px solid #f59e0b66; }
.gf-note { font-size: 0.92rem; margin: 0; }
.gf-note.gf-good { background: #22c55e1f; border-color: #22c55e66; overflow-wrap: anywhere; }
.gf-note a { text-decoration: underline; }
.gf-error { background: #ef44441f; border: 1px solid #ef444466; margin: 0 0 12px !important; overflow-wrap: anywhere; }
.gf-upload video { max-height: 360px; }
.gf-pictures img { width: 100%; object-fit: contain; }
@media (max-width: 760px) {
  .gf-hints { grid-template-columns: 1fr 1fr; }
  .gf-stages { flex-direction: column; gap: 6px; }
  .gf-line { flex-direction: column; gap: 2px; }
  .gf-form { align-items: stretch !important; }
  .gf-tiles { grid-template-columns: 1fr; gap: 6px; }
  .gf-tiles div { display: flex; align-items: baseline; gap: 10px; padding: 8px 12px; }
  .gf-tiles b { flex: 1; text-align: right; }
}
"""
