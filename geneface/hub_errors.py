"""What the Hub's client raises, said in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

from geneface.errors import InputError

NOT_CACHED = "{} is not cached as a whole, and the Hub cannot be reached; go online once"


def unreachable(error: Exception) -> bool:
    """Whether there is no network, no server, or none that answers, so that the cache must do."""
    from huggingface_hub.errors import HfHubHTTPError, HTTPError

    if isinstance(error, HfHubHTTPError):
        return error.response.status_code >= 500
    return isinstance(error, (ConnectionError, HTTPError))


@contextmanager
def explained(repo_id: str, action: str = "fetched from the Hub", token: str | None = None) -> Iterator[None]:
    """Turn what the client raises in the block into an `InputError`.

    Args:
        action: What was being done with the repository, as in "it could not be ...".
    """
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        HTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        yield
    except GatedRepoError:
        raise InputError(
            f"{repo_id} is open only to those whom its author admits; ask for access on the Hub"
        ) from None
    except RepositoryNotFoundError:
        if kind := _other_kind(repo_id, token):
            raise InputError(f"{repo_id} is a {kind} on the Hub, not a person; name a person's repository") from None
        raise InputError(
            f"the Hub has no model {repo_id}, or it is private: check the name, or log in as one who may read it"
        ) from None
    except RevisionNotFoundError:
        raise InputError(f"{repo_id} has no such revision; name one of its commits, branches or tags") from None
    except HFValidationError:
        raise InputError(f"{repo_id} cannot be the name of a repository; name one like user/person") from None
    except LocalEntryNotFoundError:
        raise InputError(NOT_CACHED.format(repo_id)) from None
    except HfHubHTTPError as error:
        raise InputError(f"{repo_id} could not be {action}: {_answer(error)}") from None
    except (HTTPError, ConnectionError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(
            f"{repo_id} could not be {action}: the Hub cannot be reached ({reason[0]}); try again"
        ) from None
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(f"{repo_id} could not be {action}: {reason[0]}") from None


def _answer(error: Exception) -> str:
    status = error.response.status_code  # type: ignore[attr-defined]
    known = {
        401: "you are not logged in, or your token is not valid; log in with hf auth login",
        403: "your token does not allow it; log in with one that may write there",
        412: "somebody else changed it at the same time; try again",
        429: "the Hub asks for a pause; try again in some minutes",
    }
    return known.get(status) or f"the Hub answered with error {status}; try again later"


def _other_kind(repo_id: str, token: str | None) -> str | None:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HTTPError

    try:
        kinds = (kind for kind in ("dataset", "space") if HfApi(token=token).repo_exists(repo_id, repo_type=kind))
        return next(kinds, None)
    except (HTTPError, OSError):
        return None
