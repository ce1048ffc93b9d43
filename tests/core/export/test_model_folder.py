"""What is taken home says the same as the app: model, script, tables, replay, movie."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import tomllib
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.data import folders, sentence_sets
from core.data.split import make_split
from core.export import model_folder, movie, replay_page, table_files
from core.export.script import script
from core.maps.layouts import layout_all
from core.models import registry
from core.training import bi_trainer as training
from core.training import checkpoints
from core.training.tuned import tuned
from core.types import InputError, Pair, Run, RunStatus, Sentence, SentenceSet, TrainingConfig

ROOT = Path(__file__).resolve().parents[3]
NASTY = (
    '=cmd("calc")',
    "</script><script>alert(1)</script>",
    'a "quoted", one\'s\\ back\\slash',
    "日本語 🌞 عربي",
)


def short_run(folder: Path, loss: str = "mnrl", steps: int = 3, **changes) -> tuple[Run, str]:
    """A real run of MiniLM on a few sentences, some of them nasty, and its checkpoint."""
    chosen = sentence_sets.load_set("sentiment").sentence_set
    nasty = tuple(Sentence(f"n{i}", text, "positive") for i, text in enumerate(NASTY))
    chosen = SentenceSet((*chosen.sentences[:8], *chosen.sentences[-8:], *nasty), "A `set` <b>", "test")
    split = make_split(chosen, 30, 0.3, 7)
    config = TrainingConfig(loss=loss, steps=steps, trained_layers=1, learning_rate=3e-4, **changes)
    trainer = training.BiEncoderTrainer(
        registry.load(config.base_model, config.seed), chosen, split.train, config, split.held_out
    )
    snapshots = [trainer.snapshot()]
    while trainer.step < steps:
        trainer.advance()
        snapshots.append(trainer.snapshot())
    file = folder / f"{loss}.safetensors"
    checkpoints.save(trainer.checkpoint(), file)
    frames = tuple(layout_all("pca", [s.embeddings for s in snapshots], steps=[s.step for s in snapshots]))
    run = Run("r", config, chosen, split.train, split.held_out, tuple(snapshots), frames, RunStatus.FINISHED)
    return run, str(file)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> tuple[Run, str]:
    return short_run(tmp_path_factory.mktemp("run"))


# ---- the model --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_the_model_folder_loads_with_equal_embeddings(tmp_path, pooling):
    from sentence_transformers import SentenceTransformer

    run, checkpoint = short_run(tmp_path, "contrastive", 2, pooling=pooling)
    model_folder.model_zip(run, checkpoint, "my model", str(tmp_path / "model.zip"))
    with zipfile.ZipFile(tmp_path / "model.zip") as archive:
        archive.extractall(tmp_path)
    loaded = SentenceTransformer(str(tmp_path / "my-model"), device="cpu")
    texts = [*run.sentences.texts, "A sentence it has never seen."]
    ours = tuned(run.config, checkpoint).encode(texts, pooling=pooling)
    assert np.abs(loaded.encode(texts) - ours).max() < 1e-5
    assert np.abs(ours[: len(run.sentences)] - run.snapshots[-1].embeddings).max() < 1e-5
    assert np.abs(run.snapshots[0].embeddings - run.snapshots[-1].embeddings).max() > 1e-3  # it did learn


def test_the_card_tells_data_settings_and_scores(run):
    card = model_folder.model_card(run[0], "My <model> *one*")
    assert "# My \\<model\\> \\*one\\*" in card
    assert f"Trained on {len(run[0].pairs)} pairs" in card and "| Held-out accuracy |" in card
    assert f'"steps": {run[0].config.steps}' in card
    assert "``A `set` <b>``" in card  # typed text stands in a code span that its backticks cannot close
    loose = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", card)
    assert "<b>" not in loose


def test_a_kept_model_can_be_chosen_as_base(run, tmp_path, monkeypatch):
    monkeypatch.setenv(folders.TUNED, str(tmp_path / "models"))
    key = model_folder.keep_model(*run, "Tom's first!")
    assert key == "tuned:Toms-first" and key in registry.available()
    z = registry.load(key).encode(run[0].sentences.texts)
    assert np.abs(z - run[0].snapshots[-1].embeddings).max() < 1e-5
    with pytest.raises(InputError, match="there already"):
        model_folder.keep_model(*run, "Tom's first!")
    assert [p.name for p in (tmp_path / "models").iterdir()] == ["Toms-first"]


@pytest.mark.parametrize("name", ["", "  ", "../..", "///", "CON", "...", "com1", "LPT9", "COM¹", "nul."])
def test_names_that_are_no_folder(name):
    with pytest.raises(InputError, match="needs a name"):
        model_folder.folder_name(name)


def test_names_stay_inside_their_folder():
    assert model_folder.folder_name("../../etc/passwd") == "etcpasswd"
    assert model_folder.folder_name("modèle  été") == "modèle-été"
    assert len(model_folder.folder_name("x" * 500)) == 60


# ---- the script -------------------------------------------------------------------------------------


def run_script(run: Run, folder: Path) -> tuple[dict, np.ndarray]:
    """Run the exported script as a stranger would; its final scores, and its model's embeddings."""
    file = folder / "repeat.py"
    file.write_text(script(run), encoding="utf-8")
    command = [
        sys.executable,
        str(file),
        "--base",
        str(registry.packaged_folder()),
        "--out",
        str(folder / "m"),
    ]
    environment = {**os.environ, "PYTHONPATH": "", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=250, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(re.search(r"^after: +(\{.*\})$", done.stdout, re.M)[1].replace("'", '"'))
    from core.models.weights import read_folder

    layers = 3 if run.config.base_model == "minilm-l3" else None
    return found, read_folder(folder / "m", layers).encode(run.sentences.texts)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loss", "base"),
    [("mnrl", "minilm-l6"), ("triplet", "minilm-l3"), ("softmax", "blank")],
)
def test_the_script_repeats_the_run(loss, base, tmp_path):
    run, _ = short_run(tmp_path, loss, 3, base_model=base)
    found, z = run_script(run, tmp_path)
    last = run.snapshots[-1]
    assert found["held_out_accuracy"] == pytest.approx(last.metrics.held_out_accuracy, abs=1e-9)
    assert found["held_out_auc"] == pytest.approx(last.metrics.held_out_auc, abs=1e-9)
    assert np.abs(z - last.embeddings).max() < 1e-4
    assert np.abs(run.snapshots[0].embeddings - last.embeddings).max() > 1e-3


def test_typed_text_cannot_become_code(run):
    source = script(run[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compile(source, "repeat.py", "exec")
    block = source.split("# <data>\n")[1].split("# </data>\n")[0] if "# <data>" in source else source
    names: dict = {}
    head = block[block.index("SETTINGS = ") : block.index("SHUFFLE, PARTNER")]
    exec(head, names)
    assert [text for text, _ in names["SENTENCES"]] == list(run[0].sentences.texts)
    assert names["SETTINGS"]["loss"] == "mnrl" and len(names["TRAIN"]) == len(run[0].pairs)


# ---- tables -----------------------------------------------------------------------------------------


def test_embeddings_come_back_exactly(run):
    sentences, z = run[0].sentences, run[0].snapshots[-1].embeddings
    rows = list(csv.reader(io.StringIO(table_files.embeddings(".csv", sentences, z).decode("utf-8-sig"))))
    assert rows[0][:4] == ["id", "text", "group", "e0"]
    assert np.array_equal(np.array([r[3:] for r in rows[1:]], np.float32), z)
    assert any(row[1] == "'" + NASTY[0] for row in rows) and not any(row[1].startswith("=") for row in rows)

    with np.load(io.BytesIO(table_files.embeddings(".npz", sentences, z)), allow_pickle=False) as found:
        assert np.array_equal(found["embeddings"], z)
        assert found["texts"].tolist() == list(sentences.texts)

    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(table_files.embeddings(".parquet", sentences, z)))
    assert table["text"].to_pylist() == list(sentences.texts)
    assert np.array_equal(np.array(table["embedding"].to_pylist(), np.float32), z)


def test_the_projector_gets_one_line_a_sentence():
    odd = SentenceSet((Sentence("a", "tab\there\nand a break", "g"), Sentence("b", "plain", None)))
    z = np.eye(2, 4, dtype=np.float32)
    with zipfile.ZipFile(io.BytesIO(table_files.projector_zip(odd, z))) as archive:
        vectors = archive.read("vectors.tsv").decode().splitlines()
        labels = archive.read("metadata.tsv").decode().splitlines()
    assert len(vectors) == 2 and len(labels) == 3  # the metadata of several columns has a header
    assert all(line.count("\t") == 1 for line in labels)
    assert np.array_equal(np.array([v.split("\t") for v in vectors], np.float32), z)


def test_pairs_come_back_through_the_upload(run):
    from core.data.sentences import parse_pair_table

    data = table_files.pairs_csv(run[0].sentences, run[0].pairs, run[0].held_out)
    plain = replace(run[0].sentences, sentences=tuple(s for s in run[0].sentences.sentences))
    found = parse_pair_table(data, "pairs.csv", plain)
    text = {s.id: s.text.removeprefix("'") for s in found.sentence_set.sentences}

    def readable(items: tuple[Pair, ...], names: dict[str, str]) -> set:
        return {(names[p.left], names[p.right], p.label) for p in items}

    own = {s.id: s.text for s in run[0].sentences.sentences}
    assert readable(found.pairs, text) == readable((*run[0].pairs, *run[0].held_out), own)


# ---- replay and pictures ----------------------------------------------------------------------------


def test_the_replay_page_asks_nobody_and_runs_no_text(run):
    page = replay_page.replay_html(run[0], "<img src=x onerror=alert(1)>").decode()
    assert "http://" not in page and "https://" not in page and not re.search(r"<[^>]*\b(src|href)=", page)
    assert "default-src 'none'" in page and "<img" not in page
    assert page.count("</script>") == 2  # the data and the program: no text closed one early
    data = json.loads(re.search(r'type="application/json">(.*?)</script>', page, re.S)[1])
    assert data["texts"] == list(run[0].sentences.texts) and data["steps"] == [0, 1, 2, 3]
    assert data["losses"][0] is None and len(data["forces"][3]) > 0


def test_the_replay_page_draws_points_by_the_maps_own_code(run):
    page = replay_page.replay_html(run[0], "t").decode()
    assert "__DRAWING__" not in page and "export " not in page.split("<script>")[1]
    for name in ("groupLook", "trace", "pointRadius"):
        assert f"function {name}(" in page and f"function {name}(" not in replay_page.TEMPLATE.read_text(
            "utf-8"
        )
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
    for scheme in ("light", "dark"):
        ground, text = (
            [int(theme[scheme][key][i : i + 2], 16) for i in (1, 3, 5)]
            for key in ("backgroundColor", "textColor")
        )
        assert f"[{ground}, {text}]" in page


def test_pictures_draw_a_sentence_without_a_group_in_no_groups_colour(run):
    first, *others = run[0].sentences.sentences
    mixed = replace(run[0].sentences, sentences=(replace(first, group=None), *others))
    drawn = movie.svg(replace(run[0], sentences=mixed)).decode()
    colours = re.findall(r'r="7" fill="(#\w+)"', drawn)
    assert colours[0] == movie.NEUTRAL and movie.NEUTRAL not in colours[1:]
    assert ">no group<" in drawn


def test_a_run_without_a_map_cannot_be_replayed(run):
    with pytest.raises(InputError, match="no map yet"):
        replay_page.replay_html(replace(run[0], frames=()), "t")


def test_the_movie_moves_and_ends_where_the_run_does(run):
    from PIL import Image

    picture = Image.open(io.BytesIO(movie.gif(run[0], 320, 240)))
    assert picture.size == (320, 240) and picture.n_frames == 3 * movie.BETWEEN + 1
    frames = []
    for i in range(picture.n_frames):
        picture.seek(i)
        frames.append(np.asarray(picture.convert("RGB")).copy())
    assert (frames[0] != frames[-1]).any()
    still = replace(run[0], frames=tuple(replace(run[0].frames[0], step=i) for i in range(2)))
    xy = still.frames[0].xy.astype(np.float64)
    xy = movie._scaler([xy], 320, 240)(xy)
    assert xy.min() >= 0 and xy[:, 0].max() <= 320 and xy[:, 1].max() <= 240


def test_pictures_are_what_they_say(run):
    from xml.etree import ElementTree

    from PIL import Image

    drawing = ElementTree.fromstring(movie.svg(run[0]))
    titles = [t.text for t in drawing.iter("{http://www.w3.org/2000/svg}title")]
    assert titles == list(run[0].sentences.texts)
    assert Image.open(io.BytesIO(movie.png(run[0]))).size == (1200, 900)
