"""What a file's credentials mean, in words for whoever receives it; the command line and the web demo share them."""

from datetime import datetime

from geneface.media.provenance import Provenance

FAULTS = {
    "assertion.bmffHash.mismatch": "picture, sound or metadata were changed",
    "assertion.dataHash.mismatch": "the content was changed",
    "assertion.hashedURI.mismatch": "what is said about it was changed",
    "claimSignature.mismatch": "the signature does not fit",
    "claimSignature.outsideValidity": "signed when the certificate was not valid",
    "signingCredential.expired": "the certificate has run out",
    "signingCredential.invalid": "the certificate is not one for signing",
    "signingCredential.ocsp.revoked": "the certificate was withdrawn",
}
"""C2PA's codes in words."""


def headline(provenance: Provenance, watermark: bool = False) -> str:
    """The verdict in a few words, without the file's name; `watermark` if GeneFace's was found in the pictures."""
    if provenance.state == "valid":
        return ("AI-generated, and " if provenance.ai_generated else "") + "unaltered since it was signed"
    if provenance.state == "none":
        return ("AI-generated with GeneFace, by its watermark; " if watermark else "") + "no Content Credentials"
    if provenance.altered:
        return "altered since it was signed"
    return "signed with a certificate that does not hold"


def advice(provenance: Provenance, anchored: bool = False, watermark: bool = False) -> str:
    """A few sentences on what to make of it; `anchored` if authorities to trust were given, `watermark` as above."""
    if provenance.state == "none" and provenance.problems:
        return "Its Content Credentials are kept elsewhere, and nothing is fetched; ask a tool that does so."
    if provenance.state == "none" and watermark:
        return (
            "Pictures in this file carry the watermark of GeneFace. Credentials are lost when a video is cut or "
            "re-encoded, and a webm cannot hold any: who made it, and what was changed since, cannot be told."
        )
    if provenance.state == "none":
        missing = (
            "Nothing in this file proves how it was made; credentials are lost when a video is cut or re-encoded, "
            "and a webm cannot hold any."
        )
        if not provenance.tag:
            return missing
        return f'{missing} Its metadata say "{provenance.tag}", a tag that anybody can write or remove.'
    if provenance.altered:
        return "The file is not what was signed. What it says about itself cannot be relied on."
    if provenance.state == "invalid":
        return "The content is as it was signed, but not by somebody whose certificate was good."
    if provenance.trusted:
        return "Its certificate comes from an authority that you trust."
    if anchored:
        return "The content is untouched, but its certificate does not come from an authority that you trust."
    if provenance.development:
        return "Its certificate is self-made: the content is untouched, but nobody vouches for who signed it."
    return (
        "The content is untouched. Whether its certificate can be trusted was not checked: no anchor was given for it."
    )


def facts(provenance: Provenance) -> list[tuple[str, str]]:
    """What the credentials say, as pairs of name and text; empty without credentials."""
    rows = [
        ("Signed by", provenance.signer),
        ("Signed at", _when(provenance)),
        ("Made with", provenance.generator),
        ("Person", provenance.person),
        ("Voice", f"synthetic, {provenance.voice}" if provenance.voice else ""),
        ("Settings", ", ".join(f"{name.replace('_', ' ')} {_text(it)}" for name, it in provenance.settings.items())),
        ("Fault", "; ".join(FAULTS.get(code, code) for code in provenance.problems)),
    ]
    return [(name, text) for name, text in rows if text]


def _text(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _when(provenance: Provenance) -> str:
    if not provenance.signed_at:
        return ""
    clock = "of a timestamp authority" if provenance.timestamped else "of the signer"
    try:
        moment = datetime.fromisoformat(provenance.signed_at)
    except ValueError:
        return provenance.signed_at
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC, by the clock {clock}"
