"""A run file gives back what was saved, to the last bit, and refuses everything else in one sentence."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from core.export import npy, run_file, run_file_weights
from core.export.run_file import ARRAYS, RUN, WEIGHTS, RunFile, Weights, pack, unpack
from core.models import registry
from core.training import bi_trainer as training
from core.training import checkpoints
from core.types import InputError, Run, RunStatus, TrainingConfig
from tests.tiny import tiny_encoder, tiny_pairs, tiny_set


@pytest.fixture(scope="module")
def encoder():
    return tiny_encoder()


@pytest.fixture(scope="module")
def trained(encoder, tmp_path_factory):
    """A short real run of the tiny model, with its last checkpoint on disk."""
    config = TrainingConfig(loss="contrastive", steps=4, trained_layers=2, learning_rate=1e-3)
    pairs = tiny_pairs()
    trainer = training.BiEncoderTrainer(encoder, tiny_set(), pairs[:-2], config, pairs[-2:])
    snapshots = [trainer.snapshot()]
    for _ in range(4):
        trainer.advance()
        snapshots.append(trainer.snapshot())
    frames = projection_frames(snapshots)
    run = Run("r1", config, tiny_set(), pairs[:-2], pairs[-2:], tuple(snapshots), frames, RunStatus.FINISHED)
    checkpoint = tmp_path_factory.mktemp("run") / "last.safetensors"
    checkpoints.save(trainer.checkpoint(), checkpoint)
    return run, str(checkpoint), trainer.tuned()


def projection_frames(snapshots):
    from core.maps.layouts import layout_all

    return tuple(layout_all("pca", [s.embeddings for s in snapshots], steps=[s.step for s in snapshots]))


@pytest.fixture(autouse=True)
def the_tiny_model_is_the_base(monkeypatch, encoder):
    monkeypatch.setattr(registry, "load", lambda key, seed=0: encoder)


def same_run(a: Run, b: Run) -> None:
    for field in ("config", "sentences", "pairs", "held_out"):
        assert getattr(a, field) == getattr(b, field)
    assert [s.step for s in a.snapshots] == [s.step for s in b.snapshots]
    for one, other in zip(a.snapshots, b.snapshots, strict=True):
        assert one.loss == other.loss or (np.isnan(one.loss) and np.isnan(other.loss))
        assert one.metrics == other.metrics and one.seconds == other.seconds
        assert one.embeddings.tobytes() == other.embeddings.tobytes()
        assert one.forces.rows.tolist() == other.forces.rows.tolist()
        assert one.forces.values.tobytes() == other.forces.values.tobytes()
    for one, other in zip(a.frames, b.frames, strict=True):
        assert (one.step, one.method, one.trustworthiness) == (
            other.step,
            other.method,
            other.trustworthiness,
        )
        assert one.xy.tobytes() == other.xy.tobytes() and one.trust.tobytes() == other.trust.tobytes()


def test_a_saved_run_comes_back_to_the_last_bit(trained, tmp_path):
    run, checkpoint, tuned = trained
    file = tmp_path / "run.zip"
    size = run_file_weights.save(run, checkpoint, "A title", "<b>note</b> 🌞", "2026-03-02", str(file))
    assert file.stat().st_size == size
    kept = unpack(file.read_bytes())
    assert (kept.title, kept.note, kept.created) == ("A title", "<b>note</b> 🌞", "2026-03-02")
    same_run(kept.run, run)
    assert kept.run.status is RunStatus.FINISHED
    assert not kept.run.snapshots[0].embeddings.flags.writeable

    restored = tmp_path / "restored.safetensors"
    assert run_file_weights.restore(str(file), str(restored)) == 4
    old, new = checkpoints.load(Path(checkpoint)), checkpoints.load(restored)
    assert set(old.parameters) == set(new.parameters)
    for name, value in old.parameters.items():
        assert value.tobytes() == new.parameters[name].tobytes(), name
    from core.training.tuned import embed

    texts = [*run.sentences.texts, "a new good dog"]
    assert np.array_equal(embed(run.config, str(restored), texts), tuned.encode(texts))


def test_trained_words_and_a_softmax_head_travel_too(encoder, tmp_path):
    config = TrainingConfig(loss="softmax", steps=2, trained_layers=1, train_word_embeddings=True)
    trainer = training.BiEncoderTrainer(encoder, tiny_set(), tiny_pairs(), config)
    trainer.advance()
    checkpoints.save(trainer.checkpoint(), tmp_path / "a.safetensors")
    run = Run("r", config, tiny_set(), tiny_pairs(), (), (trainer.snapshot(),))
    run_file_weights.save(run, str(tmp_path / "a.safetensors"), "", "", "", str(tmp_path / "run.zip"))
    run_file_weights.restore(str(tmp_path / "run.zip"), str(tmp_path / "b.safetensors"))
    old, new = checkpoints.load(tmp_path / "a.safetensors"), checkpoints.load(tmp_path / "b.safetensors")
    assert np.array_equal(old.words, new.words) and "head.weight" in new.parameters
    assert all(np.array_equal(old.parameters[k], new.parameters[k]) for k in old.parameters)
    assert unpack((tmp_path / "run.zip").read_bytes()).run.status is RunStatus.STOPPED  # 1 of 2 steps


def test_what_a_killed_server_left_unfinished_goes_with_the_next_save(trained, tmp_path):
    old, fresh = tmp_path / "a.zip.part", tmp_path / "b.zip.part"
    for part in (old, fresh):
        part.write_bytes(b"half")
    os.utime(old, (0, 0))
    run_file_weights.save(trained[0], trained[1], "", "", "", str(tmp_path / "run.zip"))
    assert not old.exists() and fresh.exists()  # another may be saving just now
    with pytest.raises(InputError, match=r"The folder .*run\.zip cannot be written"):
        run_file_weights.save(trained[0], None, "", "", "", str(tmp_path / "run.zip" / "more.zip"))


def test_another_base_model_is_refused(trained, tmp_path, monkeypatch):
    run, checkpoint, _ = trained
    run_file_weights.save(run, checkpoint, "", "", "", str(tmp_path / "run.zip"))
    monkeypatch.setattr(registry, "load", lambda key, seed=0: tiny_encoder(seed=1))
    with pytest.raises(InputError, match="not the one this run started from"):
        run_file_weights.restore(str(tmp_path / "run.zip"), str(tmp_path / "out.safetensors"))


def test_a_long_run_keeps_evenly_spread_snapshots(trained, monkeypatch):
    run, _, _ = trained
    monkeypatch.setattr(run_file, "KEPT_EMBEDDINGS", 3 * run.snapshots[0].embeddings.nbytes)
    assert [s.step for s in run_file.thinned(run).snapshots] == [0, 2, 4]
    assert [f.step for f in unpack(pack(RunFile(run, ""))).run.frames] == [0, 2, 4]


# ---- refusals ----------------------------------------------------------------------------------------


def rezipped(data: bytes, change=None, **members: bytes | None) -> bytes:
    """The file with members replaced (None: left out), and run.json changed by `change(about)`."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    if change is not None:
        about = json.loads(parts[RUN])
        change(about)
        parts[RUN] = json.dumps(about).encode()
    parts |= {name.replace("__", "."): value for name, value in members.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in parts.items():
            if value is not None:
                archive.writestr(name, value)
    return out.getvalue()


@pytest.fixture(scope="module")
def good(trained) -> bytes:
    return pack(RunFile(trained[0], "t", weights=Weights(4, "x", {"layers.0.a": np.zeros(3, np.int32)})))


def refused(data: bytes, words: str) -> None:
    with pytest.raises(InputError) as caught:
        unpack(data, "my.zip")
    message = str(caught.value)
    assert words in message and message.startswith("my.zip") and "\n" not in message
    assert message.endswith(".") and len(message) < 300


def test_files_that_are_no_run_files(good):
    refused(b"", "damaged, cut off or not a run file")
    refused(b"\x89PNG something", "not a run file")
    refused(good[: len(good) // 2], "cut off")
    refused(rezipped(good, run__json=None), "not a run saved by this app")
    refused(rezipped(good, run__json=b"{}"), "not a run saved by this app")
    refused(rezipped(good, run__json=b"{"), "its run.json is not valid JSON")
    refused(rezipped(good, run__json=b"[" * 100_000), "nests deeper than 40 levels")


def test_any_flipped_byte_is_noticed_or_harmless(good, trained):
    rng = np.random.default_rng(3)
    for place in rng.integers(0, len(good), 60):
        broken = bytearray(good)
        broken[place] ^= 0x55
        try:
            same_run(unpack(bytes(broken)).run, trained[0])  # dates of the zip's own entries, say
        except InputError as error:
            assert "\n" not in str(error)


def test_newer_versions_and_wrong_versions(good):
    refused(rezipped(good, lambda about: about.update(version=2)), "newer version")
    refused(rezipped(good, lambda about: about.update(version="1")), "which version")
    refused(rezipped(good, lambda about: about.pop("version")), "which version")


@pytest.mark.parametrize("name", ["../evil.txt", "/etc/passwd", "a/../../b", "C:\\evil", "..\\evil"])
def test_paths_that_lead_outside(good, name):
    refused(rezipped(good, **{name: b"x"}), "leads outside")


def test_members_that_do_not_belong(good):
    refused(rezipped(good, **{"extra.pkl": b"x"}), "no member 'extra.pkl'")


def test_bombs_and_oversized_files(good, monkeypatch):
    bomb = rezipped(good, arrays__npz=b"\0" * 50_000_000)
    assert len(bomb) < 1_000_000
    monkeypatch.setitem(run_file.MEMBERS, ARRAYS, 40_000_000)
    refused(bomb, "would unpack to 50 MB")
    lying = bomb.replace((50_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert lying != bomb
    with pytest.raises(InputError):
        unpack(lying)
    monkeypatch.setattr(run_file, "MAX_FILE", 1000)
    refused(good, "a run file has at most")


def test_arrays_that_lie_about_their_size():
    huge = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        huge, {"descr": "<f4", "fortran_order": False, "shape": (10**6, 10**6)}
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("embeddings.npy", huge.getvalue())
    with pytest.raises(InputError, match="shorter or longer"):
        npy.unpack(out.getvalue(), 10**9)
    objects = io.BytesIO()
    np.save(objects, np.array([{}], object), allow_pickle=True)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("embeddings.npy", objects.getvalue())
    with pytest.raises(InputError, match="plain numbers"):
        npy.unpack(out.getvalue(), 10**9)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: a["config"].update(steps=10**9), "steps"),
        (lambda a: a["config"].update(evil=1), "Unknown setting"),
        (lambda a: a["config"].update(loss="nope"), "loss"),
        (lambda a: a["config"].update(learning_rate="fast"), "learning_rate"),
        (lambda a: a["pairs"].append([0, 99, 1.0]), "names no sentence"),
        (lambda a: a["pairs"].append([0, 1, 7]), "[2]: it must be a number from 0 to 1, not 7"),
        (lambda a: a["sentences"]["items"].pop(), "do not fit"),
        (lambda a: a["sentences"]["items"][0].__setitem__(0, a["sentences"]["items"][1][0]), "share an id"),
        (
            lambda a: a["sentences"]["items"][0].__setitem__(1, "x" * 5000),
            "sentences.items[0][1]: it has 5,000 characters; at most 1,000",
        ),
        (lambda a: a["snapshots"][1].update(step=0), "not in order"),
        (lambda a: a["snapshots"][1].update(loss="low"), "snapshots[1].loss: it must be a number"),
        (lambda a: a["snapshots"][1]["metrics"].update(evil=1.0), "there is no score 'evil'"),
        (lambda a: a.update(title="x" * 500), "title"),
        (lambda a: a.pop("frames"), "frames: it is missing"),
        (lambda a: a.update(weights=None), "do not say which base model"),
    ],
)
def test_values_that_do_not_fit(good, change, words):
    refused(rezipped(good, change), words)


def test_weights_that_do_not_fit(good, trained, tmp_path):
    refused(rezipped(good, weights__safetensors=b"junk"), "weights are damaged")
    (tmp_path / "f.zip").write_bytes(good)  # a name that the base model has not
    with pytest.raises(InputError, match="do not fit the base model"):
        run_file_weights.restore(str(tmp_path / "f.zip"), str(tmp_path / "c"))
    with pytest.raises(InputError, match="holds no weights"):
        (tmp_path / "g.zip").write_bytes(rezipped(good, weights__safetensors=None))
        run_file_weights.restore(str(tmp_path / "g.zip"), str(tmp_path / "c"))
    assert WEIGHTS in zipfile.ZipFile(io.BytesIO(good)).namelist()


def test_an_unknown_base_model_still_opens(good):
    kept = unpack(rezipped(good, lambda about: about["config"].update(base_model="tuned:somebody-elses")))
    assert kept.run.config.base_model == "tuned:somebody-elses"


def test_a_run_without_snapshots_is_not_saved(trained):
    with pytest.raises(InputError, match="no snapshot yet"):
        pack(RunFile(dataclasses.replace(trained[0], snapshots=(), frames=()), ""))


def test_the_server_lets_a_run_file_through():
    import tomllib

    from tests.conftest import ROOT

    server = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["server"]
    assert server["maxUploadSize"] * 1_000_000 >= run_file.MAX_FILE
