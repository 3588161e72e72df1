"""Who may ask the page what: names, origins, guessed passwords; and what browsers are told."""

from typing import Any

import pytest
from pages import run_async

from geneface.ui.guard import LOCAL_NAMES, Brake, Guard


async def ask(guard: Guard, path: str = "/", method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": given, "client": ("10.0.0.7", 1)}
    await guard(scope, None, send)  # type: ignore[arg-type]
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, sent[1]["body"]


def page(status: int = 200) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": b"the page"})

    return app


def status(guard: Guard, **headers: str) -> int:
    return run_async(ask(guard, **headers))[0]


@pytest.mark.parametrize(
    ("host", "origin", "expected"),
    [
        ("127.0.0.1:7860", None, 200),
        ("localhost:7860", "http://localhost:7860", 200),
        ("[::1]:7860", "http://[::1]:7860", 200),
        ("127.0.0.1:7860", "http://localhost:7860", 200),
        ("evil.example:7860", None, 403),
        ("evil.example:7860", "http://evil.example:7860", 403),
        ("127.0.0.1:7860", "http://evil.example", 403),
        ("127.0.0.1:7860", "http://127.0.0.1.evil.example", 403),
        ("127.0.0.1:7860", "null", 403),
        ("127.0.0.1:7860", "http://[", 403),
        ("127.0.0.1.evil.example", None, 403),
        ("", None, 403),
    ],
)
def test_only_this_machine_s_names(host: str, origin: str | None, expected: int) -> None:
    guard = Guard(page(), LOCAL_NAMES)
    assert status(guard, host=host, **({"origin": origin} if origin else {})) == expected


def test_a_public_page_answers_to_any_name_but_not_to_other_sites() -> None:
    guard = Guard(page())
    assert status(guard, host="faces.example") == 200
    assert status(guard, host="faces.example", origin="https://faces.example") == 200
    assert status(guard, host="faces.example", origin="https://evil.example") == 403
    assert (
        status(guard, host="127.0.0.1:7860", x_forwarded_host="faces.example", origin="https://faces.example") == 200
    )
    assert status(guard, host="", origin="https://") == 403
    assert status(guard, host="127.0.0.1", origin="https://abc.gradio.live") == 403
    assert status(Guard(page(), tunnelled=True), host="127.0.0.1", origin="https://abc.gradio.live") == 200


def test_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    for answer in (ask(Guard(page()), host="a"), ask(Guard(page(), ["b"]), host="a")):
        _, headers, _ = run_async(answer)
        assert headers["x-frame-options"] == "SAMEORIGIN" and headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'self';" in headers["content-security-policy"]
    monkeypatch.setenv("SPACE_ID", "me/faces")
    _, headers, _ = run_async(ask(Guard(page()), host="a"))
    assert "x-frame-options" not in headers and "https://huggingface.co" in headers["content-security-policy"]


def test_guessing_passwords_gets_slow() -> None:
    now = 0.0
    wrong, right = Guard(page(400), clock=lambda: now), Guard(page(200), clock=lambda: now)
    right._brake = wrong._brake

    def login(guard: Guard) -> tuple[int, dict[str, str], bytes]:
        return run_async(ask(guard, "/login", "POST", host="a"))

    assert [login(wrong)[0] for _ in range(7)] == [400] * 5 + [429] * 2
    code, headers, words = login(right)
    assert code == 429 and headers["retry-after"] == "1" and b"Too many wrong passwords" in words
    tried = 0
    while now < 3600:
        now += 1
        tried += login(wrong)[0] == 400
    assert tried < 25, "an hour of guessing"
    now += 300
    assert login(right)[0] == 200
    assert login(wrong)[0] == 400, "who knows the password begins anew"


def test_the_brake_forgets_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geneface.ui.guard.MOST_VISITORS", 3)
    brake = Brake(lambda: 0.0)
    for visitor in "abcd":
        for _ in range(6):
            brake.tried(visitor, right=False)
    assert [brake.pause(visitor) > 0 for visitor in "abcd"] == [False, True, True, True]
