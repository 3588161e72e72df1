import multiprocessing
import os
import shutil
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from geneface.errors import InputError
from geneface.media import certificate
from geneface.media.certificate import (
    ANCHOR_FILE,
    CERTIFICATE,
    CHAIN_FILE,
    KEY,
    KEY_FILE,
    Identity,
    development_folder,
    development_identity,
    load_identity,
    make_development_certificate,
    signing_identity,
)
from geneface.media.provenance import check_signing


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home for settings."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with a chain and its key, as a user might have."""
    folder = tmp_path / "own"
    folder.mkdir()
    make_development_certificate(folder)
    return folder


def leaf(identity: Identity) -> x509.Certificate:
    return x509.load_pem_x509_certificate(identity.chain)


def test_made_at_first_use_and_kept(config: Path) -> None:
    first = development_identity()
    assert development_identity() == first
    folder = development_folder()
    assert sorted(path.name for path in folder.iterdir()) == [ANCHOR_FILE, CHAIN_FILE, KEY_FILE]
    assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    names = leaf(first).subject.rfc4514_string()
    assert os.uname().nodename not in names
    assert leaf(first).not_valid_after_utc > datetime.now(UTC) + timedelta(days=3000)
    check_signing(first)
    assert "PRIVATE" not in repr(first)


def _first_use(path: str, gate: object, results: object) -> None:
    os.environ["XDG_CONFIG_HOME"] = path
    gate.wait()  # type: ignore[attr-defined]
    results.put(development_identity().chain)  # type: ignore[attr-defined]


def test_what_a_killed_first_use_left_is_swept(config: Path) -> None:
    config.joinpath("geneface").mkdir(parents=True)
    left = config / "geneface" / ".signing.unwritten.killed"
    (left / "new").mkdir(parents=True)
    (left / ".lock").touch()
    (left / "new" / "key.pem").write_text("secret")
    development_identity()
    assert [path.name for path in (config / "geneface").iterdir()] == ["signing"]


def test_concurrent_first_use_gives_all_the_same(config: Path) -> None:
    context = multiprocessing.get_context("fork")
    gate, results = context.Barrier(6), context.Queue()
    workers = [context.Process(target=_first_use, args=(str(config), gate, results)) for _ in range(6)]
    for worker in workers:
        worker.start()
    chains = {results.get(timeout=60) for _ in workers}
    for worker in workers:
        worker.join()
    assert chains == {development_identity().chain}
    assert [path.name for path in development_folder().parent.iterdir()] == [development_folder().name]


def test_where_nothing_can_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    check_signing(development_identity())
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_damaged_development_certificate(config: Path) -> None:
    development_identity()
    (development_folder() / KEY_FILE).write_text("?")
    with pytest.raises(InputError, match=r"no PEM private key.*delete .*signing, and a new"):
        development_identity()
    shutil.rmtree(development_folder())
    check_signing(development_identity())


def test_a_real_certificate_by_setting(own: Path, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CERTIFICATE, str(own / CHAIN_FILE))
    with pytest.raises(InputError, match=f"{CERTIFICATE} is set and {KEY} is not"):
        signing_identity()
    monkeypatch.setenv(KEY, str(own / KEY_FILE))
    monkeypatch.setenv(certificate.TIMESTAMP, "http://127.0.0.1:9")
    identity = signing_identity()
    assert leaf(identity) == x509.load_pem_x509_certificates((own / CHAIN_FILE).read_bytes())[0]
    assert identity.timestamp_url == "http://127.0.0.1:9"
    assert not config.exists()
    with pytest.raises(InputError, match="C2PA refuses the signing"):
        check_signing(identity)  # Nobody answers at that address.


def test_unusable_certificates(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chain, key = own / CHAIN_FILE, own / KEY_FILE
    other = tmp_path / "other"
    other.mkdir()
    make_development_certificate(other)
    secret = serialization.load_pem_private_key(key.read_bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        secret.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"x"),
        )
    )
    signed_by_itself = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "self.pem").write_bytes(
        certificate.as_pem([certificate._certificate("me", signed_by_itself, None, signed_by_itself)])
    )
    (tmp_path / "self.key").write_bytes(pem(signed_by_itself))
    cases = [
        (tmp_path / "none.pem", key, r"none.pem cannot be read \(No such file"),
        (key, key, "no PEM certificate"),
        (chain, chain, "no PEM private key"),
        (chain, other / KEY_FILE, "does not belong to the first certificate"),
        (chain, locked, "has a passphrase"),
        (tmp_path / "self.pem", tmp_path / "self.key", "self-signed"),
    ]
    for certificates, private, words in cases:
        with pytest.raises(InputError, match=words):
            load_identity(certificates, private)
    monkeypatch.setattr(certificate, "DEVELOPMENT_YEARS", 0)
    old = tmp_path / "old"
    old.mkdir()
    make_development_certificate(old)
    with pytest.raises(InputError, match=r"is valid from .* renew it"):
        load_identity(old / CHAIN_FILE, old / KEY_FILE)


def pem(key: object) -> bytes:
    return key.private_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize(
    ("make", "algorithm"),
    [
        (lambda: ec.generate_private_key(ec.SECP384R1()), "es384"),
        (lambda: rsa.generate_private_key(65537, 2048), "ps256"),
        (ed25519.Ed25519PrivateKey.generate, "ed25519"),
    ],
)
def test_kinds_of_keys(make: object, algorithm: str, tmp_path: Path) -> None:
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), make()  # type: ignore[operator]
    authority = certificate._certificate("authority", authority_key, None, authority_key)
    chain = [certificate._certificate("studio", key, authority, authority_key), authority]
    (tmp_path / "chain.pem").write_bytes(certificate.as_pem(chain))
    (tmp_path / "key.pem").write_bytes(pem(key))
    identity = load_identity(tmp_path / "chain.pem", tmp_path / "key.pem")
    assert identity.algorithm == algorithm
    check_signing(identity)
