"""Training by API: what a visitor, a script or an agent may ask of the trainings on this machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.util import find_spec

from geneface.errors import InputError
from geneface.ui.job_status import JobStatus
from geneface.ui.jobs import TrainingJobs
from geneface.ui.train_view import UNFILLED
from geneface.utils.words import sentence

LOCAL = ("127.0.0.1", "localhost", "::1")


def is_offered(wanted: bool | None, *, host: str, share: bool) -> bool:
    """Whether the page offers training: as asked, or if only who sits at this machine sees the page."""
    return (host in LOCAL and not share) if wanted is None else wanted


def training_needs() -> str:
    """What is to be done on this machine before a person can be trained, in a sentence; empty if nothing."""
    if os.name == "nt":
        return "Training in the browser needs Linux or macOS; on Windows use WSL, or geneface train."
    if find_spec("mediapipe") is None or find_spec("ai_edge_litert") is None:
        return (
            "Training needs a few more packages: run pip install mediapipe ai-edge-litert, then start this page again."
        )
    return ""


class TrainApi:
    """The endpoints; their docstrings are the documentation that clients see."""

    def __init__(self, jobs: TrainingJobs) -> None:
        self._jobs = jobs

    def train_start(self, video: str | None, name: str, consent: str, agreed: bool = False) -> str:
        """Take a video of one person who speaks, and prepare it for training.

        When the state is "review", read the warnings, and call /train_resume to start the training.

        Args:
            video: 10 seconds to 10 minutes, one face seen from the front, with sound.
            name: What the person shall be called.
            consent: Whose face it is, and what they agreed to.
            agreed: True if that is so.

        Returns:
            The person's id, for the other calls.
        """
        with told():
            if needs := training_needs():
                raise InputError(needs)
            if not video:
                raise InputError("There is no video yet: upload one, or record one with the camera.")
            if UNFILLED in consent:
                raise InputError(f"The consent still says {UNFILLED}: fill in whose face it is.")
            if not agreed:
                raise InputError("Confirm that the person in the video has agreed.")
            return self._jobs.begin(video, name, consent)

    def train_status(self, person: str) -> dict[str, object]:
        """How a training is getting on.

        Args:
            person: Id of the person, as returned by /train_start.

        Returns:
            state ("preparing", "review", "training", "stopping", "stopped", "failed" or "done"), stage, detail, step,
            steps, seconds_left, figures (PSNR in dB), warnings, error.
        """
        with told():
            return _facts(self._jobs.status(person))

    def train_list(self) -> list[dict[str, object]]:
        """The trainings that were begun and are not done, each as /train_status gives it."""
        return [_facts(status) for status in self._jobs.unfinished()]

    def train_resume(self, person: str) -> dict[str, object]:
        """Start the training after the review, or go on with a stopped or failed one.

        Args:
            person: Id of the person, as returned by /train_start.

        Returns:
            The same as /train_status.
        """
        with told():
            self._jobs.resume(person)
            return _facts(self._jobs.status(person))

    def train_stop(self, person: str) -> dict[str, object]:
        """Stop a training; what has been learned is kept.

        Args:
            person: Id of the person, as returned by /train_start.

        Returns:
            The same as /train_status.
        """
        with told():
            self._jobs.stop(person)
            return _facts(self._jobs.status(person))

    def train_discard(self, person: str) -> str:
        """Delete an unfinished training: the video and all that was learned from it.

        Args:
            person: Id of the person, as returned by /train_start.

        Returns:
            The person's id.
        """
        with told():
            self._jobs.discard(person)
            return person

    def train_publish(
        self, person: str, repo_id: str, consent: str, agreed: bool = False, public: bool = False, token: str = ""
    ) -> str:
        """Publish a trained person on the Hugging Face Hub, privately unless asked otherwise.

        Args:
            person: Id of the person.
            repo_id: Where to, like "user/person".
            consent: What the person shown has agreed to; stands on the person's page.
            agreed: True if the person has agreed to be published.
            public: For everybody.
            token: Access token; the machine's own login if empty.

        Returns:
            The address of what was published.
        """
        from geneface.hub.publish import push_to_hub

        with told():
            if not agreed:
                raise InputError("Confirm that the person has agreed to be published.")
            folder = self._jobs.person_folder(person)
            return push_to_hub(
                folder, repo_id.strip(), consent=consent, private=not public, token=token.strip() or None
            )


@contextmanager
def told() -> Iterator[None]:
    """Says what is wrong in an error box."""
    import gradio as gr

    try:
        yield
    except InputError as error:
        raise gr.Error(sentence(str(error)), print_exception=False) from None


def _facts(status: JobStatus) -> dict[str, object]:
    return {name: value for name, value in asdict(status).items() if name not in ("contact_sheet", "preview")}
