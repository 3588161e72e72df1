"""The web demo: what it is built of, and how it is served."""

import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geneface.errors import InputError
from geneface.media.provenance import prepare_seal
from geneface.resources import resource
from geneface.ui.guard import LOCAL_NAMES, Guard
from geneface.ui.jobs import TrainingJobs
from geneface.ui.link_preview import ICON, TITLE, LinkPreview
from geneface.ui.look import build_look
from geneface.ui.persons import Persons
from geneface.ui.server_folder import CACHE, ServerFolder
from geneface.ui.studio import LONGEST, Load, Studio
from geneface.ui.talk import build_talk
from geneface.ui.theme import CSS, HEADER, KEYS, NOTICE, VOICE, build_theme
from geneface.ui.train import TrainPage
from geneface.ui.train_api import LOCAL, is_offered
from geneface.ui.train_view import TRAIN_CSS
from geneface.ui.updates import QUIET
from geneface.ui.verify import build_verify
from geneface.ui.visits import Visits

if TYPE_CHECKING:
    import gradio as gr

    from geneface import GeneFacePipeline

TALK, TRAIN, LOOK, CHECK = "Talk", "Train", "Look closer", "Check"
EXAMPLES_DIR = resource("examples/audio")
SOUND_FILES = {".flac", ".m4a", ".mp3", ".ogg", ".opus", ".wav"}
LANGUAGES = {"de": "German", "es": "Spanish", "fr": "French", "it": "Italian", "ja": "Japanese", "zh": "Chinese"}
"""By the tag in an example's name; what has none is English."""
CACHE_CHECK_SECONDS, CACHE_AGE_SECONDS = 600, 3600
LARGEST_UPLOAD, LARGEST_VIDEO = "200mb", "2gb"
"""Of a recording, and of a video to train from."""
WAITING = 20
"""Visitors who may wait for the device; the others are asked to come back."""


def build_demo(
    load: "Load | GeneFacePipeline",
    persons: Mapping[str, Path] | Persons,
    examples: Mapping[str, Path],
    *,
    max_seconds: float = LONGEST,
    mark: bool = True,
    jobs: TrainingJobs | None = None,
    warm: bool = False,
) -> "gr.Blocks":
    """The page.

    Args:
        load: from a person's name to a pipeline, or one pipeline for all of them.
        persons: bundle folders by name; the first is chosen at the start.
        examples: recordings by the label under which they are offered.
        max_seconds: the longest recording that is taken.
        mark: whether videos carry the visible label "AI-generated".
        jobs: where persons are trained; there is no Train tab if None.
        warm: whether the first person is loaded at once, for the first visitor.
    """
    import gradio as gr

    persons = persons if isinstance(persons, Persons) else Persons(persons)
    visits = Visits()
    given: Any = load
    studio = Studio((lambda _: given) if hasattr(load, "stream") else given, max_seconds, mark)
    tabs: dict[str, Callable[[], Any]] = {
        TALK: lambda: build_talk(studio, persons, examples, visits),
        **({TRAIN: lambda: TrainPage(jobs)} if jobs is not None else {}),
        LOOK: lambda: build_look(studio, persons, examples),
        CHECK: build_verify,
    }
    with gr.Blocks(
        title=TITLE, analytics_enabled=False, delete_cache=(CACHE_CHECK_SECONDS, CACHE_AGE_SECONDS)
    ) as demo:
        gr.HTML(HEADER, padding=False, js_on_load=KEYS + VOICE)
        with gr.Tabs(elem_classes="gf-tabs") as row:
            shown, built = {}, {}
            for name, build in tabs.items():
                with gr.Tab(name, id=name) as shown[name]:
                    built[name] = build()
        gr.HTML(NOTICE, padding=False)
        _join(studio, row, shown, built)
        visits.watch(demo, *(each for part in built.values() for each in part.uploads))
    demo.queue(max_size=WAITING)
    if warm:
        threading.Thread(target=built[TALK].awake, args=(persons.names[0],), daemon=True).start()
    return demo


def _join(studio: Studio, row: "gr.Tabs", shown: "Mapping[str, gr.Tab]", built: Mapping[str, Any]) -> None:
    """What the tabs do with one another."""
    import gradio as gr

    talking, looking, checking = built[TALK], built[LOOK], built[CHECK]
    gallery = talking.gallery
    shown[TALK].select(gallery.refresh, gallery.person, [gallery.person, gallery.pictures], **QUIET)
    shown[LOOK].select(looking.refresh, looking.pickers, looking.pickers, **QUIET)

    def hand_over(video: str) -> list[object]:
        return [video, gr.Tabs(selected=CHECK)]

    taken_over = talking.buttons.check.click(hand_over, talking.stage.video, [checking.video, row], **QUIET)
    checking.check_after(taken_over.then, api_visibility="private")
    if training := built.get(TRAIN):

        def greet(trained: str) -> list[object]:
            """A person who was just trained: chosen in the Talk tab."""
            studio.forget(trained)
            return gallery.choose(trained)

        def talk_to(trained: str) -> list[object]:
            return [*gallery.choose(trained), gr.Tabs(selected=TALK)]

        training.person.change(greet, training.person, [gallery.person, gallery.pictures], **QUIET)
        training.try_it.click(talk_to, training.person, [gallery.person, gallery.pictures, row], **QUIET)


def launch_options(
    largest: str = LARGEST_UPLOAD, hosts: Iterable[str] = LOCAL_NAMES, share: bool = False
) -> dict[str, Any]:
    """What `launch` of the page needs, whoever launches it.

    Args:
        largest: The size of the largest upload.
        hosts: The names under which the page may be asked for; all if empty.
        share: Whether it gets a public link.
    """
    from starlette.middleware import Middleware

    guarded = [Middleware(Guard, hosts=tuple(hosts), tunnelled=share), Middleware(LinkPreview)]
    return {
        "app_kwargs": {"middleware": guarded},
        "favicon_path": str(ICON),
        "theme": build_theme(),
        "css": CSS + TRAIN_CSS,
        "max_file_size": largest,
        "run_history": False,
        "enable_monitoring": False,
        "footer_links": ["api"],
        "mcp_server": find_spec("mcp") is not None,
    }


def serve(
    *,
    host: str,
    port: int | None,
    share: bool,
    device: str | None,
    persons_dir: Path | None = None,
    auth: tuple[str, str] | None = None,
    max_seconds: float = LONGEST,
    hub: bool = True,
    mark: bool = True,
    train: bool | None = None,
) -> None:
    """Build the page and serve it until interrupted.

    Whoever opens it from this very machine is taken for its owner, and sees the persons that the owner has fetched.

    Args:
        persons_dir: More persons, offered as soon as they are there.
        auth: A name and a password that visitors must give.
        max_seconds: The longest recording that is taken.
        hub: Whether visitors may fetch persons from the Hub.
        mark: Whether videos carry the visible label "AI-generated".
        train: Whether visitors may train persons; if None, only whoever uses this very machine may.
    """
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    own = not share and host in LOCAL
    folder = ServerFolder()
    os.environ[CACHE] = str(folder.path)
    if unsigned := prepare_seal(Path("video.mp4"), "", {})[1]:
        print(f"warning: {unsigned}", file=sys.stderr)
    persons = Persons(find_persons(), persons_dir, hub=hub, own=own)

    def load(person: str) -> "GeneFacePipeline":
        from geneface.pipelines.pipeline import GeneFacePipeline

        return GeneFacePipeline.from_pretrained(persons.bundle(person), device=device, token=persons.token)

    jobs = None
    if persons_dir is not None and is_offered(train, host=host, share=share):
        jobs = TrainingJobs(persons_dir, device=device)
    demo = build_demo(load, persons, find_examples(), max_seconds=max_seconds, mark=mark, jobs=jobs, warm=True)
    options = launch_options(LARGEST_UPLOAD if jobs is None else LARGEST_VIDEO, LOCAL_NAMES if own else (), share)
    try:
        demo.launch(server_name=host, server_port=port, share=share, auth=auth, **options)
    except OSError:
        place = f"port {port} of {host}" if port else host
        raise InputError(f"the page cannot be served at {place}: it is taken, or not ours; give another one") from None
    finally:
        folder.close()


def find_persons() -> dict[str, Path]:
    """The embedded persons, the default one first."""
    from geneface.hub.persons import DEFAULT_PERSON, PERSONS_DIR, list_persons

    names = sorted(list_persons(), key=lambda name: name != DEFAULT_PERSON)
    return {name: PERSONS_DIR / name for name in names}


def find_examples(folder: Path = EXAMPLES_DIR) -> dict[str, Path]:
    """Recordings by label, those in English first.

    `good_morning.ogg` is offered as "Good morning", `bonjour.fr.ogg` as "Bonjour (French)".
    """
    files = [path for path in folder.glob("*") if path.suffix.lower() in SOUND_FILES]
    labels = {path: path.stem.replace("_", " ").replace("-", " ").capitalize() for path in files}
    for path, label in labels.items():
        name, _, language = label.rpartition(".")
        if language in LANGUAGES:
            labels[path] = f"{name} ({LANGUAGES[language]})"
    return {labels[path]: path for path in sorted(files, key=lambda path: ("(" in labels[path], path.name))}
