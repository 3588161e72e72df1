"""The page's Verify part: a video in; who made and signed it, and whether it was altered, in a card."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from html import escape
from typing import TYPE_CHECKING, Any

from geneface.errors import InputError
from geneface.media.check import check_file, watermark_words
from geneface.media.provenance import Provenance
from geneface.media.verdict import advice, facts, headline
from geneface.resources import web
from geneface.ui.status import tool
from geneface.utils.words import sentence

if TYPE_CHECKING:
    import gradio as gr
    from gradio.events import Dependency

EMPTY = web("verify_empty.html")
STYLE = f"<style>{web('verify.css')}</style>"
FACTS = [field.name for field in fields(Provenance)]
CIRCLE = '<circle cx="12" cy="12" r="10"/>'
SIGNS = {
    "gf-good": CIRCLE + '<path d="M7.5 12.5l3 3 6-6.5"/>',
    "gf-altered": CIRCLE + '<path d="M8.5 8.5l7 7m0-7l-7 7"/>',
    "gf-unsure": CIRCLE + '<path d="M12 7v6m0 3.6v.1"/>',
}


@dataclass(frozen=True)
class Verify:
    """What the page connects to."""

    video: "gr.Video"
    """Takes a visitor's file."""
    check_after: Callable[..., None]
    """Checks the video that is there, after an event: a method like `button.click`."""

    @property
    def uploads(self) -> "list[gr.Video]":
        """Components that take a visitor's files."""
        return [self.video]


def build_verify() -> Verify:
    """Lay out the components and connect them, within the current `gr.Blocks` or `gr.Tab`."""
    import gradio as gr

    from geneface.ui.updates import QUIET

    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=300):
            video = gr.Video(sources=["upload"], label="Video", show_label=False, buttons=[], elem_id="verify-video")
        with gr.Column(scale=6, min_width=300):
            card = gr.HTML(STYLE + EMPTY, elem_id="verdict", padding=False)
            report = gr.JSON(label="Report", visible="hidden")

    @tool
    def verify(video: str | None) -> dict[str, object]:
        """Read and check the Content Credentials (C2PA) of a video, and look for GeneFace's watermark in it.

        Args:
            video: The video.

        Returns:
            The verdict in words (`headline`, `advice`), `state` (valid, invalid or none), `altered`, `trusted`,
            `development`, `signer`, `signed_at`, `timestamped`, `generator`, `ai_generated`, `person`, `settings`,
            `problems` and `tag`; `watermark` (null, or `number`, `fits_credentials`, `score` and
            `false_alarm`), the same in words (`watermark_words`), and why it was not looked for (`watermark_unread`).
        """
        if not video:
            raise gr.Error("There is no video yet: upload one.", print_exception=False)
        try:
            check = check_file(video)
        except InputError as error:
            raise gr.Error(sentence(str(error), {str(video): "The video"}), print_exception=False) from None
        found, marked = check.provenance, check.watermark is not None
        words = {
            "headline": headline(found, marked),
            "advice": advice(found, watermark=marked),
            # The server's folder is nobody's business.
            "watermark_words": watermark_words(check).replace(str(video), "the video"),
        }
        return check.report() | words | {"watermark_unread": check.unread.replace(str(video), "the video")}

    def show(report: dict[str, Any]) -> str:
        found = Provenance(**{name: report[name] for name in FACTS})
        return STYLE + verdict_card(found, report["watermark_words"], report["watermark"] is not None)

    def check_after(event: Callable[..., "Dependency"], **options: str) -> None:
        checked = event(verify, video, report, show_progress="hidden", **options)
        checked.success(show, report, card, **QUIET)
        checked.failure(lambda: STYLE + EMPTY, None, card, **QUIET)

    check_after(video.upload, api_name="verify")
    video.clear(lambda: STYLE + EMPTY, None, card, **QUIET)
    return Verify(video, check_after)


def verdict_card(found: Provenance, watermark: str = "", marked: bool = False) -> str:
    """The facts as HTML, with what is said of the watermark; everything that the file says is escaped."""
    tone = "gf-good" if found.state == "valid" else "gf-altered" if found.altered else "gf-unsure"
    title = headline(found, marked)
    told = [*facts(found), *([("Watermark", watermark)] if watermark else [])]
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in told)
    return (
        f'<div class="gf-verdict {tone}" role="status">'
        f'<h2><svg viewBox="0 0 24 24" aria-hidden="true">{SIGNS[tone]}</svg>{title[0].upper() + title[1:]}</h2>'
        f"<p>{escape(advice(found, watermark=marked))}</p>" + (f"<dl>{rows}</dl></div>" if rows else "</div>")
    )
