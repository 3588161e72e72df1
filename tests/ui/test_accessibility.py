"""axe-core on every tab and in every state of a take, light and dark: nothing critical or serious that is ours."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_pipeline import FakePipeline
from pages import said, upload_voice

pytestmark = pytest.mark.browser
Open = Callable[..., Any]


def found(page: Any, where: str) -> list[str]:
    """What axe-core calls critical or serious."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
    page.wait_for_timeout(300)
    violations = axe.Axe().run(page).response["violations"]
    return [
        f"{where}: {each['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for each in violations
        if each["impact"] in ("critical", "serious")
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_serious(open_page: Open, slow: FakePipeline, speech_wav: Path, dark: bool) -> None:
    page = open_page(dark=dark)
    page.wait_for_selector("#portrait canvas.gf-awake")
    for name in ("Motion", "Background, shape and size", "Subtitles"):
        page.get_by_role("button", name=name).first.click()
    wrong = found(page, "empty")
    for kind in ("Text", "Several files", "Recording"):
        page.locator("#speech-kind").get_by_label(kind, exact=True).check()
        wrong += found(page, kind)
    upload_voice(page, speech_wav)
    page.locator("#go").click()
    page.locator("#cancel").wait_for()
    wrong += found(page, "busy")
    said(page, "#talk-status", "done")
    page.locator("#takes button").wait_for()
    wrong += found(page, "done")
    for tab in page.get_by_role("tab").all_inner_texts()[1:]:
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(300)
        wrong += found(page, tab)
    assert not wrong, "\n".join(dict.fromkeys(wrong))
