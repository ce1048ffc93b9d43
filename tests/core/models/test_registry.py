"""Where models come from, and what is refused with one sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from core.models import registry
from core.models.weights import save_folder
from core.types import InputError
from tests.tiny import tiny_encoder


def test_the_table_does_not_load_torch() -> None:
    code = (
        "import sys; from core.models import registry; from core.training import controls; "
        "registry.available(); print('torch' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[3]
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert found.stdout.strip() == "False"


def test_known_models_have_the_layers_the_table_says() -> None:
    for key, row in registry.BASE_MODELS.items():
        encoder = registry.load(key)
        assert len(encoder.layers) == row.layers == registry.layer_count(key)
        assert encoder.dim == row.dim
        assert not any(p.requires_grad for p in encoder.parameters())
    assert registry.load("minilm-l6") is registry.load("minilm-l6", seed=9)


def test_a_blank_slate_is_a_function_of_its_seed() -> None:
    one, two = registry.load("blank", seed=1), registry.load("blank", seed=2)
    text = ["the same words"]
    assert not np.allclose(one.encode(text), two.encode(text))
    registry._loaded.clear()
    assert np.array_equal(registry.load("blank", seed=1).encode(text), one.encode(text))


def test_changed_weights_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"not the model")
    with pytest.raises(InputError, match="damaged or were changed"):
        registry.check_sum(file, registry.MINILM_SHA256)
    with pytest.raises(InputError, match="missing"):
        registry.check_sum(tmp_path / "gone", registry.MINILM_SHA256)
    registry.check_sum(registry.packaged_folder() / "model.safetensors", registry.MINILM_SHA256)


def test_the_check_happens_on_the_first_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_loaded", type(registry._loaded)())
    monkeypatch.setattr(registry, "_checked", set())
    row = registry.BaseModel("x", "X", "", registry.packaged_folder, layers=1, sha256="0" * 64)
    monkeypatch.setitem(registry.BASE_MODELS, "x", row)
    with pytest.raises(InputError, match="sha256"):
        registry.load("x")


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="Linux tells which files lie in memory")
def test_processes_share_the_table_of_words() -> None:
    encoder = registry.load("minilm-l3")
    kept = Path("/proc/self/maps").read_text().splitlines()
    begins = encoder.embeddings.word.data_ptr()
    (line,) = (line for line in kept if within(begins, line.split()[0]))
    assert line.endswith("model.safetensors")


def within(address: int, area: str) -> bool:
    first, last = (int(end, 16) for end in area.split("-"))
    return first <= address < last


def test_only_allowed_folders_and_hub_ids_can_be_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mine"
    save_folder(tiny_encoder(), folder)
    with pytest.raises(InputError, match="EMBEDDING_LAB_MODELS"):
        registry.load(str(folder))
    monkeypatch.setenv("EMBEDDING_LAB_MODELS", f" {folder} , someone/some-model")
    assert registry.load(str(folder)).dim == 32
    assert registry.layer_count(str(folder)) == 3
    assert "someone/some-model" in registry.available()
    with pytest.raises(InputError, match="runs offline") as caught:
        registry.load("someone/some-model")
    assert "\n" not in str(caught.value)


def test_tuned_models_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDDING_LAB_TUNED", str(tmp_path))
    save_folder(tiny_encoder(seed=5), tmp_path / "sentiment")
    assert np.array_equal(
        registry.load("tuned:sentiment").encode(["a cat"]), tiny_encoder(seed=5).encode(["a cat"])
    )


def _change(folder: Path, **values: object) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda f: _change(f, model_type="gpt2"), "gpt2"),
        (lambda f: _change(f, position_embedding_type="relative_key"), "position encoding"),
        (lambda f: _change(f, hidden_size=48, num_attention_heads=4), "not those of the model"),
        (lambda f: (f / "config.json").unlink(), "no config.json"),
        (lambda f: (f / "config.json").write_text("{"), "not valid JSON"),
        (lambda f: (f / "tokenizer.json").write_text("{}"), "tokenizer.json"),
        (lambda f: (f / "tokenizer.json").unlink(), "no tokenizer.json"),
        (lambda f: (f / "model.safetensors").unlink(), "no model.safetensors"),
        (lambda f: (f / "model.safetensors").write_bytes(b"\x80\x04pickle"), "damaged"),
        (
            lambda f: save_file({"x": np.ones(2, np.float32)}, f / "model.safetensors"),
            "not those of the model",
        ),
        (lambda f: (f / "modules.json").write_text('[{"type": "a.b.Dense"}]'), "Dense"),
    ],
)
def test_unusable_folders_are_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: object, says: str
) -> None:
    folder = tmp_path / "broken"
    save_folder(tiny_encoder(), folder)
    damage(folder)  # type: ignore[operator]
    monkeypatch.setenv("EMBEDDING_LAB_MODELS", str(folder))
    with pytest.raises(InputError, match=says) as caught:
        registry.load(str(folder))
    assert "\n" not in str(caught.value)
