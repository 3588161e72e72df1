"""Persons come from the Hub, or a sentence says why not: the real client, over HTTP, against `hub_server`."""

import json
import os
import pickle
import threading

import pytest
import torch
from hub_client import ALICE, BOB, CONSENT, edit_index, load, same_weights

from geneface import InputError
from geneface.hub.fetch import fetch_preview
from geneface.hub.persons import cached_persons, resolve_bundle, search_persons
from geneface.hub.publish import push_to_hub


def test_search(published, tiny_bundle):
    push_to_hub(tiny_bundle, "alice/hidden", consent=CONSENT, link_generic="alice/generic")
    published.upload("alice/tiny-bert", {"README.md": b"---\ntags:\n- bert\n---\n"})
    assert [person.repo_id for person in search_persons("TINY")] == ["alice/tiny"]
    assert {person.repo_id: person.private for person in search_persons()} == {
        "alice/tiny": False,
        "alice/hidden": True,
    }
    assert [person.repo_id for person in search_persons(token=BOB)] == ["alice/tiny"]
    assert search_persons("nobody") == []


def test_preview_alone(published):
    assert fetch_preview("alice/tiny").read_bytes() == published.files("alice/tiny")["preview.png"].data
    assert published.downloads() == ["preview.png"] and not cached_persons()
    published.upload("alice/tiny", {"preview.png": None})
    assert fetch_preview("alice/tiny") is None


def test_pulled_once(published, tiny_bundle):
    same_weights(load("alice/tiny"), load(tiny_bundle))
    assert len(published.downloads()) == len(set(published.downloads())) > 8
    published.requests.clear()
    folder = resolve_bundle("alice/tiny")
    load("alice/tiny")
    assert not published.downloads()
    assert cached_persons() == {"alice/tiny": folder}


def test_offline_use_of_what_is_cached(published, tiny_bundle, monkeypatch):
    from huggingface_hub import constants

    push_to_hub(tiny_bundle, "alice/linked", consent=CONSENT, link_generic="alice/generic")
    commit = published.repos["model", "alice/linked"].head
    load("alice/linked")
    published.requests.clear()
    load("alice/linked", revision=commit)
    load("alice/linked", local_files_only=True)
    assert not published.requests, "a commit that is cached is not asked for"
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    load("alice/linked")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    load("alice/linked")
    with pytest.raises(InputError, match="alice/tiny is not cached as a whole, and the Hub cannot be reached"):
        load("alice/tiny")
    with pytest.raises(InputError, match="cannot be reached"):
        search_persons("tiny")
    with pytest.raises(InputError, match="could not be published: the Hub cannot be reached"):
        push_to_hub(tiny_bundle, "alice/tiny", consent=CONSENT)


def test_a_half_pulled_person_is_not_used_offline(published, monkeypatch):
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda seconds: None)
    published.broken = {"renderer/model.safetensors": 100}
    with pytest.raises(InputError, match=r"could not be fetched.*try again"):
        resolve_bundle("alice/tiny")
    with pytest.raises(InputError, match="not cached as a whole"):
        resolve_bundle("alice/tiny", local_files_only=True)
    assert not cached_persons()
    published.broken.clear()
    published.requests.clear()
    load("alice/tiny")
    assert published.downloads() == ["renderer/model.safetensors"], "what had arrived is kept"


def test_a_broken_download_goes_on_where_it_stopped(published, tiny_bundle, monkeypatch):
    from huggingface_hub import constants

    # The client keeps whole chunks of a broken download, which by default are larger than the tiny weights.
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 4096)
    published.broken = {"renderer/model.safetensors": 1}
    same_weights(load("alice/tiny"), load(tiny_bundle))
    assert published.downloads().count("renderer/model.safetensors") == 2
    assert published.ranges["renderer/model.safetensors"] > 0


def test_a_damaged_cache_is_repaired(published, tiny_bundle):
    weights = resolve_bundle("alice/tiny") / "renderer" / "model.safetensors"
    os.truncate(weights, 1000)
    same_weights(load("alice/tiny"), load(tiny_bundle))


def test_concurrent_pulls(published, tiny_bundle):
    folders, errors = [], []

    def pull():
        try:
            folders.append(resolve_bundle("alice/tiny"))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=pull) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and len(set(folders)) == 1
    same_weights(load(folders[0]), load(tiny_bundle))
    assert published.downloads().count("renderer/model.safetensors") == 1


def test_update_and_pinned_revision(published, tiny_bundle):
    old = published.repos["model", "alice/tiny"].head
    first = load("alice/tiny")
    changed = load(tiny_bundle)
    with torch.no_grad():
        changed.renderer.planes.add_(1)
    changed.push_to_hub("alice/tiny", consent=CONSENT, private=False)
    published.requests.clear()
    same_weights(load("alice/tiny"), changed)
    assert "motion_generator/model.safetensors" not in published.downloads(), "only what changed is fetched"
    same_weights(load("alice/tiny", revision=old), first)
    with pytest.raises(InputError, match="no such revision"):
        load("alice/tiny", revision="f" * 40)


def test_private_and_missing(published, tiny_bundle, monkeypatch):
    push_to_hub(tiny_bundle, "alice/secret", consent=CONSENT)
    load("alice/secret")
    monkeypatch.delenv("HF_TOKEN")
    for name, options in (("alice/secret", {}), ("alice/secret", {"token": BOB}), ("alice/nothing", {})):
        with pytest.raises(InputError, match=f"no model {name}, or it is private: .*log in"):
            load(name, cache_dir=tiny_bundle.parent / "another cache", **options)
    load("alice/secret", token=ALICE)


def test_wrong_kinds(published):
    published.create("alice/faces", kind="dataset")
    with pytest.raises(InputError, match="alice/faces is a dataset"):
        load("alice/faces")
    published.upload("alice/bert", {"config.json": b"{}", "model.safetensors": b""})
    with pytest.raises(InputError, match=r"alice/bert is no person of GeneFace: it has no model_index\.json"):
        load("alice/bert")
    edit_index(published, "alice/tiny", _class_name="StableDiffusionPipeline")
    with pytest.raises(InputError, match="alice/tiny does not describe a GeneFacePipeline"):
        load("alice/tiny")
    assert published.downloads() == ["model_index.json"], "no weights were fetched"


def test_newer_format(published):
    edit_index(published, "alice/tiny", _format_version=2)
    with pytest.raises(InputError, match="alice/tiny was made by a newer GeneFace"):
        load("alice/tiny")
    assert published.downloads() == ["model_index.json"]


def test_incomplete_upload(published):
    published.upload("alice/tiny", {"post_net/model.safetensors": None})
    with pytest.raises(InputError, match=r"not uploaded completely: it has no post_net/model\.safetensors"):
        load("alice/tiny")
    assert published.downloads() == ["model_index.json"]


def test_too_large(published):
    published.upload("alice/tiny", {"renderer/config.json": b" " * (2**20 + 1)})
    with pytest.raises(InputError, match=r"renderer/config\.json has 1 MB where at most"):
        load("alice/tiny")
    assert published.downloads() == ["model_index.json"]


@pytest.mark.parametrize("link", ["../../../etc", "/etc", "alice/generic", "../generic@main", "alice/../..@main"])
def test_paths_out_of_the_bundle(published, link):
    edit_index(published, "alice/tiny", _links={"motion_generator": link})
    with pytest.raises(InputError, match="outside the bundle"):
        load("alice/tiny")


@pytest.mark.parametrize("links", [{"../../x": "alice/generic@main"}, {"renderer": 3}, ["renderer"]])
def test_links_that_name_no_component(published, links):
    edit_index(published, "alice/tiny", _links=links)
    with pytest.raises(InputError, match="_links"):
        load("alice/tiny")


def test_a_local_bundle_links_only_to_its_neighbours(tiny_bundle):
    index = json.loads((tiny_bundle / "model_index.json").read_text())
    for link in ("../../elsewhere", "/etc", "renderer", ".."):
        (tiny_bundle / "model_index.json").write_text(json.dumps({**index, "_links": {"motion_generator": link}}))
        with pytest.raises(InputError, match="not beside the bundle"):
            load(tiny_bundle)


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle from the Hub was loaded",))


def test_pickles_and_code_are_not_even_fetched(published):
    bomb = pickle.dumps(Bomb())
    strange = {"renderer/pytorch_model.bin": bomb, "extra.pkl": bomb, "renderer/renderer.py": b"raise SystemExit"}
    published.upload("alice/tiny", {**strange, "renderer/../../../escape.json": b"{}"})
    load("alice/tiny")
    assert not set(strange) & set(published.downloads())
    assert not any("escape" in name for name in published.downloads())
    published.upload("alice/tiny", {"renderer/model.safetensors": bomb})
    with pytest.raises(InputError, match="damaged"):
        load("alice/tiny")


def test_what_a_killed_download_left_is_swept(published):
    folder = resolve_bundle("alice/tiny")
    blobs = folder.parents[1] / "blobs"
    (blobs / "abc.12345678.incomplete").touch()
    resolve_bundle("alice/tiny")
    assert not list(blobs.glob("*.incomplete"))


def test_a_changed_byte_is_seen_and_mended(published):
    folder = resolve_bundle("alice/tiny")
    for name in ("renderer/model.safetensors", "post_net/config.json"):
        path = (folder / name).resolve()
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        resolve_bundle("alice/tiny")
        assert (folder / name).read_bytes() == whole, name
