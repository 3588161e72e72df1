"""Content Credentials (C2PA): what made a video, signed into the file, and read back by whoever receives it."""

import importlib.util
import io
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, TypedDict

from geneface import __version__
from geneface.errors import InputError
from geneface.media.certificate import DEVELOPMENT, Identity, as_pem, read_certificates, signing_identity
from geneface.media.intake import open_file
from geneface.media.video import probe_file
from geneface.options import specs

TAG = "AI-generated"
"""How the comment in the metadata of every video begins."""
NOTICE = f"{TAG} by GeneFace {__version__}"
ASSERTION = "org.geneface.generation"
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
GENERATED, COMPOSITE = "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"
"""What is made of nothing but speech, and what of a real video."""
AI_SOURCE = re.compile(r"/(trainedAlgorithmicMedia|compositeWithTrainedAlgorithmicMedia)$")
OPEN_WORDS = re.compile("|".join([*(word for spec in specs().values() for word in spec.words), "#[0-9a-fA-F]{6}"]))
"""Settings in words that may be published; any other word may be the name of a file."""
SETTINGS: dict[str, dict[str, object]] = {
    "core": {"backing_store_memory_threshold_in_mb": 16, "merkle_tree_chunk_size_in_kb": 1024},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}
"""Nothing is asked over the network, and memory does not grow with the video, as it would if hashed as a whole."""


@dataclass(frozen=True)
class Provenance:
    """What a file says about its making, and whether that can be relied on."""

    state: str
    """`valid`, `invalid` or `none`: whether there are Content Credentials that belong to just this content."""
    altered: bool = False
    """The content, or what is said about it, is not what was signed."""
    trusted: bool = False
    """The certificate comes from one of the anchors that were given."""
    development: bool = False
    """The signer's certificate calls itself self-made, as those do that GeneFace makes."""
    signer: str = ""
    signed_at: str = ""
    """ISO 8601, UTC."""
    timestamped: bool = False
    """The time is from a timestamp authority, not the signer's own clock."""
    generator: str = ""
    ai_generated: bool = False
    person: str = ""
    settings: dict[str, object] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    """C2PA's codes for what is wrong, apart from an unknown certificate; or the reason why nothing can be read."""
    tag: str = ""
    """Without credentials: the comment in the metadata, if it says AI-generated; anybody can write or remove it."""


class Action(TypedDict, total=False):
    """Something that was done to the content."""

    when: str
    digitalSourceType: str


class Said(TypedDict, total=False):
    """What an assertion of one of the kinds that are read here says."""

    actions: list[Action]
    person: str
    settings: dict[str, object]


class Assertion(TypedDict, total=False):
    label: str
    data: Said


class Signature(TypedDict, total=False):
    common_name: str
    issuer: str
    time: str


class Manifest(TypedDict, total=False):
    """What one tool says."""

    signature_info: Signature | None
    assertions: list[Assertion]
    claim_generator: str
    claim_generator_info: list[dict[str, str]] | None


class Status(TypedDict):
    code: str


class Store(TypedDict, total=False):
    """C2PA's report on a file, as far as it is read here."""

    manifests: dict[str, Manifest]
    active_manifest: str
    validation_state: str
    validation_status: list[Status]


def why_unsigned(path: Path) -> str:
    """Why a file of this name cannot be signed here, in one sentence; empty if it can."""
    if importlib.util.find_spec("c2pa") is None:
        return "the video carries no Content Credentials: c2pa-python is not installed (pip install c2pa-python)"
    import c2pa

    kind = path.suffix.lower().removeprefix(".")
    if kind not in c2pa.Builder.get_supported_mime_types():
        return f"the video carries no Content Credentials: .{kind} files cannot, only .mp4 files do"
    return ""


def check_signing(identity: Identity) -> None:
    """Sign a picture of one pixel: a certificate that C2PA refuses is said before a video is made, not after.

    Raises:
        InputError: with C2PA's reason.
    """
    import c2pa
    from PIL import Image

    pixel = io.BytesIO()
    Image.new("L", (1, 1)).save(pixel, "png")
    try:
        _sign(identity, _manifest("", {}), "image/png", pixel, io.BytesIO())
    except c2pa.C2paError as error:
        raise InputError(f"C2PA refuses the signing certificate ({error}); give one for C2PA or e-mail") from None


def prepare_seal(
    output: Path, person: str, settings: Mapping[str, object], source_type: str = GENERATED
) -> tuple[Callable[[Path], None] | None, str]:
    """What signs the finished file, as `sign` does, and "", or None and why it will not be signed.

    Whatever would make signing fail is said here, before any work.
    """
    if unsigned := why_unsigned(output):
        return None, unsigned
    identity = signing_identity()
    check_signing(identity)
    return partial(sign, identity=identity, person=person, settings=settings, source_type=source_type), ""


def sign(
    file: Path, identity: Identity, *, person: str, settings: Mapping[str, object], source_type: str = GENERATED
) -> None:
    """Write Content Credentials into a finished video, in place; it is whole at any time.

    Args:
        person: who is shown.
        settings: numbers, and the words among `OPEN_WORDS`; of everything else it is said that it is "custom".

    Raises:
        InputError: if it cannot be signed; the file is then as it was.
    """
    import c2pa

    handle, name = tempfile.mkstemp(prefix=f"{file.stem}.", suffix=file.suffix, dir=file.parent)
    try:
        with file.open("rb") as source, os.fdopen(handle, "w+b") as target:
            _sign(identity, _manifest(person, settings, source_type), file.suffix.removeprefix("."), source, target)
        os.replace(name, file)
    except (c2pa.C2paError, OSError) as error:
        raise InputError(f"the video could not be signed ({error}), and is not kept; check disk and network") from None
    finally:
        Path(name).unlink(missing_ok=True)


def _sign(identity: Identity, manifest: dict[str, object], kind: str, source: IO[bytes], target: IO[bytes]) -> None:
    import c2pa

    info = c2pa.C2paSignerInfo(identity.algorithm, identity.chain, identity.key, identity.timestamp_url)
    with (
        c2pa.Context.from_dict(SETTINGS) as context,
        c2pa.Signer.from_info(info) as signer,
        c2pa.Builder(manifest, context) as builder,
    ):
        builder.sign(signer, kind, source, target)


def _manifest(person: str, settings: Mapping[str, object], source_type: str = GENERATED) -> dict[str, object]:
    created = {
        "action": "c2pa.created",
        "when": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "digitalSourceType": SOURCE_TYPES + source_type,
    }
    return {
        "title": "Talking portrait" if source_type == GENERATED else "Dubbed video",
        "claim_generator_info": [{"name": "GeneFace", "version": __version__}],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [created]}},
            {"label": ASSERTION, "data": {"person": person, "settings": public_settings(settings)}},
        ],
    }


def public_settings(settings: Mapping[str, object]) -> dict[str, str | float]:
    """Settings without what is nobody's business, such as the path of a background picture."""

    def public(value: object) -> str | float:
        if isinstance(value, int | float) or (isinstance(value, str) and OPEN_WORDS.fullmatch(value)):
            return value
        return "custom"

    return {name: public(value) for name, value in settings.items() if value is not None}


def read_provenance(path: str | os.PathLike, anchor: str | Path | None = None) -> Provenance:
    """Read and check the Content Credentials of a file, of whatever tool; nothing is asked over the network.

    Args:
        anchor: a PEM file with certificates of authorities to trust; none are without it.

    Raises:
        InputError: for a file that cannot be read, or an anchor that is none.
    """
    if importlib.util.find_spec("c2pa") is None:
        raise InputError("c2pa-python, which reads Content Credentials, is not installed; pip install c2pa-python")
    import c2pa

    settings = dict(SETTINGS)
    if anchor is not None:
        settings["trust"] = {"user_anchors": as_pem(read_certificates(anchor)).decode()}
    with open_file(path) as file:
        try:
            with c2pa.Context.from_dict(settings) as context:
                reader = c2pa.Reader.try_create(_kind(path), file, None, context)
                if reader is not None:
                    with reader:
                        return _judge(json.loads(reader.json()))
        except c2pa.C2paError.NotSupported:
            pass
        except c2pa.C2paError as error:
            tag = _metadata_tag(file, os.fspath(path))
            if str(error).startswith("Remote"):
                return Provenance("none", problems=(str(error),), tag=tag)
            return Provenance("invalid", altered=True, problems=(str(error),))
        return Provenance("none", tag=_metadata_tag(file, os.fspath(path)))


def _kind(path: str | os.PathLike) -> str | None:
    """The format by the name, or None to have it recognized by the content."""
    import c2pa

    suffix = Path(path).suffix.lower().removeprefix(".")
    return suffix if suffix in c2pa.Reader.get_supported_mime_types() else None


def _metadata_tag(file: IO[bytes], name: str) -> str:
    """The comment of a media file, if it says that it is AI-generated; `InputError` if the file cannot be read."""
    try:
        metadata = {key.lower(): text for key, text in probe_file(file, name).metadata.items()}
    except InputError:
        raise InputError(f"{name} cannot be read as a video or a recording; give it as you received it") from None
    comment = metadata.get("comment", "")
    return comment if TAG.lower() in comment.lower() else ""


def _judge(store: Store) -> Provenance:
    """The verdict from C2PA's report on a file."""
    manifests = store.get("manifests", {})
    active = manifests.get(store.get("active_manifest", ""), Manifest())
    everything = [active, *(manifest for manifest in manifests.values() if manifest is not active)]
    failures = [
        status for status in store.get("validation_status", []) if status["code"] != "signingCredential.untrusted"
    ]
    state = store.get("validation_state")
    signature = active.get("signature_info") or {}
    name = signature.get("common_name") or signature.get("issuer") or ""
    generation = next(_assertions(everything, ASSERTION), Said())
    action_list = [
        action
        for label in ("c2pa.actions", "c2pa.actions.v2")
        for data in _assertions(everything, label)
        for action in data.get("actions", [])
    ]
    stamped = signature.get("time")
    declared = next((action["when"] for action in action_list if action.get("when")), "")
    return Provenance(
        state="valid" if state in ("Valid", "Trusted") else "invalid",
        # A certificate that ran out or was withdrawn says nothing about the content.
        altered=state == "Invalid"
        and not (failures and all(_about_certificate(status["code"]) for status in failures)),
        trusted=state == "Trusted",
        development=name.startswith(DEVELOPMENT),
        signer=name,
        signed_at=str(stamped or declared),
        timestamped=bool(stamped),
        generator=_generator(active),
        ai_generated=any(AI_SOURCE.search(str(action.get("digitalSourceType", ""))) for action in action_list),
        person=str(generation.get("person", "")),
        settings=dict(generation.get("settings") or {}),
        problems=tuple(dict.fromkeys(status["code"] for status in failures)),
    )


def _about_certificate(code: str) -> bool:
    return code.startswith(("signingCredential.", "timeStamp.")) or code == "claimSignature.outsideValidity"


def _assertions(manifests: list[Manifest], label: str) -> Iterator[Said]:
    for manifest in manifests:
        for assertion in manifest.get("assertions", []):
            if assertion.get("label") == label and isinstance(assertion.get("data"), dict):
                yield assertion["data"]


def _generator(manifest: Manifest) -> str:
    info: dict[str, str] = next(iter(manifest.get("claim_generator_info") or []), {})
    named = f"{info.get('name', '')} {info.get('version', '')}".strip()
    return named or str(manifest.get("claim_generator", ""))
