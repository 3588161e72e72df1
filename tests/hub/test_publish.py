"""Persons go to the Hub: the real client, over HTTP, against `hub_server`."""

import json

import pytest
from hub_client import BOB, CONSENT, load, same_weights, use
from hub_server import HubServer

from geneface import InputError
from geneface.bundles.card import Card, write_card
from geneface.hub.publish import push_to_hub


def test_one_commit_private_with_everything_in_it(hub, tiny_bundle):
    url = push_to_hub(tiny_bundle, "alice/tiny", consent=CONSENT)
    repo = hub.repos["model", "alice/tiny"]
    assert repo.private
    assert len(repo.commits) == 2, "the first is the repository's creation"
    assert url.endswith(repo.head)
    parts = ("feature_extractor", "motion_generator", "post_net", "renderer")
    files = set(hub.files("alice/tiny")) - {".gitattributes", "feature_extractor/preprocessor_config.json"}
    assert files == {
        "README.md",
        "LICENSE.md",
        "card.json",
        "model_index.json",
        "preview.png",
        *(f"{part}/{file}" for part in parts for file in ("config.json", "model.safetensors")),
    }
    assert hub.files("alice/tiny")["renderer/model.safetensors"].sha256 in hub.lfs, "weights go by LFS"


def test_card(hub, tiny_bundle):
    figures = {"PSNR, head": "28.7 dB", "r of the mouth | opening": "0.74"}
    card = Card("Tiny: a person", "Nobody you know.", training_data="Two minutes.", figures=figures, limits="Blurry.")
    write_card(tiny_bundle, card)
    push_to_hub(tiny_bundle, "alice/tiny", consent=f"{CONSENT}\nSigned: 'T'")
    readme = hub.files("alice/tiny")["README.md"].data.decode()
    from huggingface_hub import ModelCard

    metadata = ModelCard(readme).data
    assert {"geneface", "talking-head"} <= set(metadata.tags)
    assert (metadata.license, metadata.license_link) == ("other", "LICENSE.md")
    for words in (
        "# Tiny: a person",
        "Nobody you know.",
        f"> {CONSENT}\n> Signed: 'T'",
        "Two minutes.",
        "| PSNR, head | 28.7 dB |",
        r"mouth \| opening",
        "Blurry.",
        "![Tiny: a person](preview.png)",
        'from_pretrained("alice/tiny")',
        "use policy",
    ):
        assert words in readme
    assert load("alice/tiny").card.consent.startswith(CONSENT)


def test_preview_is_the_bundles_own_without_what_else_is_in_it(hub, tiny_bundle, tmp_path):
    from PIL import Image, PngImagePlugin

    secret = PngImagePlugin.PngInfo()
    secret.add_text("GPS", "52.5 N 13.4 E")
    Image.new("RGB", (64, 64), "#123456").save(tiny_bundle / "preview.png", pnginfo=secret)
    push_to_hub(tiny_bundle, "alice/tiny", consent=CONSENT)
    picture = hub.files("alice/tiny")["preview.png"].data
    assert b"GPS" not in picture
    (tmp_path / "got.png").write_bytes(picture)
    assert Image.open(tmp_path / "got.png").getpixel((5, 5)) == (0x12, 0x34, 0x56)


@pytest.mark.parametrize("consent", ["", "  \n"])
def test_no_consent_no_publishing(hub, tiny_bundle, consent):
    with pytest.raises(InputError, match="consent"):
        push_to_hub(tiny_bundle, "alice/tiny", consent=consent)
    assert not hub.requests


def test_damaged_bundles_are_not_published(hub, tiny_bundle):
    weights = tiny_bundle / "renderer" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(InputError, match="damaged"):
        push_to_hub(tiny_bundle, "alice/tiny", consent=CONSENT)
    assert not hub.requests


def test_only_what_can_be_read_is_published(hub, tiny_bundle, tmp_path):
    (tmp_path / "secret").write_text("the key of the house")
    for name, words in (("model.fp16.safetensors", "damaged"), ("preprocessor_config.json", "JSON")):
        (tiny_bundle / "renderer" / name).symlink_to(tmp_path / "secret")
        with pytest.raises(InputError, match=words):
            push_to_hub(tiny_bundle, "alice/tiny", consent=CONSENT)
        (tiny_bundle / "renderer" / name).unlink()
    assert not any(line.startswith("POST") for line in hub.requests)


def test_pushing_again_updates_and_removes(published, tiny_bundle):
    load(tiny_bundle).post_net.save_pretrained(tiny_bundle / "post_net", variant="fp16")
    push_to_hub(tiny_bundle, "alice/tiny", consent=CONSENT, private=False)
    assert "post_net/model.fp16.safetensors" in published.files("alice/tiny")
    published.upload("alice/tiny", {"demo.mp4": b"the author's own"})
    (tiny_bundle / "post_net" / "model.fp16.safetensors").unlink()
    uploads = [line for line in published.requests if line.startswith("PUT /lfs")]
    push_to_hub(tiny_bundle, "alice/tiny", consent=CONSENT, private=False)
    files = published.files("alice/tiny")
    assert "post_net/model.fp16.safetensors" not in files and "demo.mp4" in files
    assert [line for line in published.requests if line.startswith("PUT /lfs")] == uploads, "nothing sent twice"


def test_a_pipeline_publishes_itself(hub, tiny_pipeline):
    tiny_pipeline.push_to_hub("alice/made", consent=CONSENT, private=False)
    pulled = load("alice/made")
    same_weights(tiny_pipeline, pulled)
    assert pulled.name == "alice/made"


def test_links_are_carried_unless_asked_otherwise(hub, tiny_bundle):
    from geneface.bundles.loading import save_components

    pipe = load(tiny_bundle)
    slim = tiny_bundle.parent / "slim"
    save_components(slim, pipe.components, links=dict.fromkeys(("feature_extractor", "motion_generator"), "../tiny"))
    push_to_hub(slim, "alice/slim", consent=CONSENT)
    assert "_links" not in json.loads(hub.files("alice/slim")["model_index.json"].data)
    same_weights(load("alice/slim"), pipe)


def test_shared_components_are_published_and_fetched_once(hub, tiny_bundle):
    for name in ("alice/one", "alice/two"):
        push_to_hub(tiny_bundle, name, consent=CONSENT, private=False, link_generic="alice/generic")
    generic = hub.repos["model", "alice/generic"]
    assert len(generic.commits) == 2 and not generic.private
    assert "motion_generator/model.safetensors" not in hub.files("alice/one")
    link = json.loads(hub.files("alice/two")["model_index.json"].data)["_links"]["motion_generator"]
    assert link == f"alice/generic@{generic.head}"
    cache = tiny_bundle.parent / "second machine"
    hub.requests.clear()
    same_weights(load("alice/one", cache_dir=cache), load(tiny_bundle))
    load("alice/two", cache_dir=cache)
    assert hub.downloads().count("motion_generator/model.safetensors") == 1


def test_other_shared_components_are_refused(published, tiny_bundle):
    push_to_hub(tiny_bundle, "alice/one", consent=CONSENT, link_generic="alice/generic")
    pipe = load(tiny_bundle)
    pipe.motion_generator.requires_grad_(False)
    next(pipe.motion_generator.parameters()).add_(1)
    with pytest.raises(InputError, match="another motion_generator"):
        pipe.push_to_hub("alice/other", consent=CONSENT, link_generic="alice/generic")
    with pytest.raises(InputError, match="alice/generic is private"):
        push_to_hub(tiny_bundle, "alice/other", consent=CONSENT, private=False, link_generic="alice/generic")
    with pytest.raises(InputError, match="is a person"):
        push_to_hub(tiny_bundle, "alice/other", consent=CONSENT, link_generic="alice/tiny")
    assert ("model", "alice/other") not in published.repos


def test_what_must_not_be_published_over(published, tiny_bundle, monkeypatch):
    with pytest.raises(InputError, match="is public"):
        push_to_hub(tiny_bundle, "alice/tiny", consent=CONSENT)
    published.upload("alice/bert", {"config.json": b"{}", "model.safetensors": b""})
    with pytest.raises(InputError, match="something else"):
        push_to_hub(tiny_bundle, "alice/bert", consent=CONSENT, private=False)
    published.upload("alice/diffuser", {"model_index.json": b'{"_class_name": "StableDiffusionPipeline"}'})
    with pytest.raises(InputError, match="does not describe a GeneFacePipeline"):
        push_to_hub(tiny_bundle, "alice/diffuser", consent=CONSENT, private=False)
    with pytest.raises(InputError, match="does not allow it"):
        push_to_hub(tiny_bundle, "alice/tiny", consent=CONSENT, private=False, token=BOB)
    with pytest.raises(InputError, match="not the name of a repository"):
        push_to_hub(tiny_bundle, "../tiny", consent=CONSENT)
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(InputError, match="log in"):
        push_to_hub(tiny_bundle, "alice/new", consent=CONSENT)


def test_two_publishers_at_once_do_not_mix(published, tiny_bundle, monkeypatch):
    from huggingface_hub import HfApi

    create_commit = HfApi.create_commit

    def overtaken(*args, **kwargs):
        published.upload("alice/tiny", {"card.json": b"{}"})
        return create_commit(*args, **kwargs)

    monkeypatch.setattr(HfApi, "create_commit", overtaken)
    load(tiny_bundle).post_net.save_pretrained(tiny_bundle / "post_net", variant="fp16")
    with pytest.raises(InputError, match="at the same time"):
        push_to_hub(tiny_bundle, "alice/tiny", consent=CONSENT, private=False)


def test_xet(tmp_path, monkeypatch, tiny_bundle):
    with HubServer(xet=tmp_path / "xet") as server:
        hub = use(server, tmp_path / "cache", monkeypatch, xet=True)
        push_to_hub(tiny_bundle, "alice/tiny", consent=CONSENT)
        assert hub.files("alice/tiny")["renderer/model.safetensors"].xet_hash
        assert not hub.lfs and len(hub.repos["model", "alice/tiny"].commits) == 2
        same_weights(load("alice/tiny"), load(tiny_bundle))
        assert not any(name.endswith(".safetensors") for name in hub.downloads()), "weights come from the Xet store"
        hub.requests.clear()
        load("alice/tiny")
        assert not hub.downloads()
