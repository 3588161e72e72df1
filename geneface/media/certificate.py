"""What videos are signed with: a certificate of the user's own, or one made at first use on this machine."""

import os
import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from geneface.errors import InputError
from geneface.utils.files import recover, working_folder

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.x509 import Certificate

CERTIFICATE, KEY, TIMESTAMP = "GENEFACE_SIGNING_CERT", "GENEFACE_SIGNING_KEY", "GENEFACE_TIMESTAMP_URL"
"""Environment variables: two PEM files, and the address of a timestamp authority (RFC 3161), which is asked only if
it is named."""
DEVELOPMENT = "GeneFace development"
"""How the name of a certificate begins that was made here, and for which nobody vouches."""
DEVELOPMENT_YEARS = 10
CHAIN_FILE, KEY_FILE, ANCHOR_FILE = "certificates.pem", "key.pem", "anchor.pem"


@dataclass(frozen=True)
class Identity:
    """A certificate chain (PEM, the signer's own first), its private key (PEM, PKCS#8) and C2PA's algorithm for it."""

    chain: bytes
    key: bytes = field(repr=False)
    algorithm: str
    timestamp_url: str | None = None


def signing_identity() -> Identity:
    """The certificate that the environment names, or else this machine's development certificate.

    Raises:
        InputError: for a certificate or key that cannot be used.
    """
    certificate, key = os.environ.get(CERTIFICATE), os.environ.get(KEY)
    if not certificate and not key:
        return development_identity()
    if not certificate or not key:
        given, missing = (CERTIFICATE, KEY) if certificate else (KEY, CERTIFICATE)
        raise InputError(f"{given} is set and {missing} is not; set both, or neither for a development certificate")
    return load_identity(certificate, key)


def load_identity(certificate: str | Path, key: str | Path) -> Identity:
    """A certificate chain and its key from two PEM files; `InputError` if they cannot sign today."""
    from cryptography.hazmat.primitives import serialization

    chain = read_certificates(certificate)
    secret = _read_key(key)
    leaf = chain[0]
    if secret.public_key() != leaf.public_key():
        raise InputError(f"the key {key} does not belong to the first certificate in {certificate}; give its own key")
    if leaf.issuer == leaf.subject:
        raise InputError(
            f"the certificate {certificate} is self-signed, which C2PA forbids; give one from an authority"
        )
    now = datetime.now(UTC)
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        start, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
        raise InputError(f"the certificate {certificate} is valid from {start:%Y-%m-%d} to {end:%Y-%m-%d}; renew it")
    return Identity(
        chain=as_pem(chain),
        key=secret.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        algorithm=_algorithm(secret, key),
        timestamp_url=os.environ.get(TIMESTAMP) or None,
    )


def read_certificates(path: str | Path) -> list["Certificate"]:
    """The certificates in a PEM file; `InputError` if there are none."""
    from cryptography import x509

    content = _read(path)
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError:
        raise InputError(f"{path} holds no PEM certificate; give a file that begins -----BEGIN CERTIFICATE") from None


def _read_key(path: str | Path) -> "PrivateKeyTypes":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    content = _read(path)
    try:
        return serialization.load_pem_private_key(content, password=None)
    except TypeError:
        raise InputError(
            f"the key {path} has a passphrase; give one without, in a file that only you can read"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise InputError(f"{path} holds no PEM private key; give a file that begins -----BEGIN PRIVATE KEY") from None


def _read(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); give a PEM file") from None


def _algorithm(key: "PrivateKeyTypes", path: str | Path) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    curves = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in curves:
        return curves[key.curve.name]
    if isinstance(key, rsa.RSAPrivateKey):
        return "ps256"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    raise InputError(f"the key {path} is of a kind that C2PA does not take; use ECDSA (P-256), RSA or Ed25519")


def development_folder() -> Path:
    """Where this machine's development certificate is kept; `anchor.pem` there lets others check it."""
    config = os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()
    return Path(config) / "geneface" / "signing"


def development_identity() -> Identity:
    """This user's development certificate, made at first use; one for this video alone if it cannot be kept."""
    try:
        folder = development_folder()
        recover(folder)
        if not folder.is_dir():
            _keep_development_certificate(folder)
    except (OSError, RuntimeError):  # Its place may not be written, or the user has no home.
        with tempfile.TemporaryDirectory() as passing:
            make_development_certificate(Path(passing))
            return load_identity(Path(passing) / CHAIN_FILE, Path(passing) / KEY_FILE)
    try:
        return load_identity(folder / CHAIN_FILE, folder / KEY_FILE)
    except InputError as error:
        raise InputError(f"{error}; or delete {folder}, and a new development certificate is made") from None


def _keep_development_certificate(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with working_folder(folder) as work:
        made = work / "new"
        made.mkdir(mode=0o700)
        make_development_certificate(made)
        try:
            made.rename(folder)
        except OSError:
            # Another process was first, and its certificate is the one to use.
            if not folder.is_dir():
                raise


def make_development_certificate(folder: Path) -> None:
    """Write a signer's certificate, its key and its authority's certificate (the anchor) into `folder`.

    C2PA refuses self-signed certificates, hence the authority. Its own key is thrown away: nothing else can be
    signed in its name. No name of the user or the machine is in them.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    number = secrets.token_hex(4)
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _certificate(f"{DEVELOPMENT} authority {number}", authority_key, None, authority_key)
    leaf = _certificate(f"{DEVELOPMENT} {number}", key, authority, authority_key)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with open(folder / KEY_FILE, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(secret)
    (folder / CHAIN_FILE).write_bytes(as_pem([leaf, authority]))
    (folder / ANCHOR_FILE).write_bytes(as_pem([authority]))


def _certificate(
    name: str,
    key: "EllipticCurvePrivateKey",
    authority: "Certificate | None",
    authority_key: "EllipticCurvePrivateKey",
) -> "Certificate":
    """A certificate as C2PA 2 asks for, of a signer or, without `authority`, of an authority."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "GeneFace, self-made"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    now, signs = datetime.now(UTC), authority is not None
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    usage = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False)
    usage |= {"digital_signature": signs, "key_cert_sign": not signs, "crl_sign": not signs}
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority.subject if authority else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * DEVELOPMENT_YEARS))
        .add_extension(x509.BasicConstraints(ca=not signs, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage, encipher_only=False, decipher_only=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(identifier, critical=False)
    )
    if signs:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return builder.sign(authority_key, hashes.SHA256())


def as_pem(certificates: Sequence["Certificate"]) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in certificates)
