"""The command line trains, encodes, scores, searches and exports, and says what is wrong in a sentence."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
import tracemalloc
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from core import cli
from core.export import run_file
from core.models import cross_encoder, registry
from core.models.settings import ModelSettings
from core.models.static import save_static
from core.training.controls import BY_FIELD
from core.types import InputError
from tests.conftest import ROOT
from tests.tiny import tiny_static, tiny_tokenizer

PAIRS = """left,right,label
The sun is out.,It is a bright day.,1
The sun is out.,My bank account is empty.,0
It rains a lot.,The rain does not stop.,1
It rains a lot.,The soup is salty.,0
The soup is salty.,There is too much salt in the soup.,1
My bank account is empty.,I have no money left.,1
"""


def run(*words: object) -> str:
    """What a command prints to standard output; raises what it raises."""
    found = CliRunner().invoke(cli.app, [str(word) for word in words], catch_exceptions=True)
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    assert found.exit_code == 0, found.output
    return found.stdout


@pytest.fixture(autouse=True)
def no_allowance_outlives_a_test(monkeypatch):
    """`--model FOLDER` allows that folder for the rest of its process, which here is pytest's."""
    monkeypatch.setenv(registry.ALLOWED, "")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder with pairs.csv, the run file run.zip and the model folder model."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "pairs.csv").write_text(PAIRS, encoding="utf-8")
    (folder / "texts.txt").write_text("The sun is out.\nThe soup is salty.\n", encoding="utf-8")
    out = run(
        "train",
        folder / "pairs.csv",
        "--steps",
        3,
        "--trained-layers",
        1,
        "--held-out",
        0,
        "--out",
        folder / "model",
        "--save",
        folder / "run.zip",
    )
    assert "Uniformity" in out and "step 0\tstep 3" in out
    return folder


def test_encode_with_the_tuned_model(trained):
    run("encode", trained / "texts.txt", trained / "z.npz", "--model", trained / "model")
    run("encode", trained / "texts.txt", trained / "base.npz")
    with np.load(trained / "z.npz") as tuned, np.load(trained / "base.npz") as base:
        assert tuned["texts"].tolist() == ["The sun is out.", "The soup is salty."]
        ours = registry.load("minilm-l6").encode(tuned["texts"].tolist())
        assert np.abs(base["embeddings"] - ours).max() < 1e-6
        assert np.abs(tuned["embeddings"] - ours).max() > 1e-4


def test_score_prints_every_pair(trained):
    lines = run("score", trained / "pairs.csv").strip().splitlines()
    assert lines[0] == "cosine\tlabel\tleft\tright"
    first = [line.split("\t") for line in lines if line.endswith("It is a bright day.")]
    assert len(first) == 1 and 0.3 < float(first[0][0]) < 1.0


@pytest.mark.parametrize("model", ["likeness", "relevance"])
def test_score_by_a_cross_encoder(trained, model):
    head, *lines = run("score", trained / "pairs.csv", "--model", model).strip().splitlines()
    assert head == f"{model}\tlabel\tleft\tright"
    rows = [line.split("\t") for line in lines]
    score = {"likeness": cross_encoder.score_likeness, "relevance": cross_encoder.score_relevance}[model]
    scores = score([(left, right) for _, _, left, right in rows]).scores
    assert [row[0] for row in rows] == [f"{one:.4f}" for one in scores]


def test_search_finds_the_nearest(trained):
    (trained / "passages.txt").write_text(
        "Bread is baked in an oven.\nThe cat sleeps on the mat.\nStars shine at night.\n", encoding="utf-8"
    )
    lines = run("search", trained / "passages.txt", "a sleeping kitten", "--top", 2).strip().splitlines()
    assert len(lines) == 2 and lines[0].endswith("The cat sleeps on the mat.")


def test_search_reads_the_nearest_again(trained):
    query, far = "Who bakes bread?", "Stars shine at night."
    texts = ["I want to bake bread.", "What is bread?", far]
    (trained / "passages.txt").write_text("\n".join(texts), encoding="utf-8")
    lines = run("search", trained / "passages.txt", query, "--rerank", 2, "--top", 1).splitlines()
    logits = cross_encoder.score_relevance([(query, text) for text in texts[:2]]).logits  # the two nearest
    assert lines == [f"{logits.max():.4f}\t{texts[logits.argmax()]}"] and logits.argmax() == 1


@pytest.mark.parametrize(
    "ending", ["html", "gif", "svg", "png", "py", "csv", "parquet", "npz", "tsv.zip", "pairs.csv"]
)
def test_export(trained, ending):
    run("export", trained / "run.zip", trained / f"out.{ending}")
    assert (trained / f"out.{ending}").stat().st_size > 200


def test_export_of_the_model_equals_the_one_that_was_written(trained):
    run("export", trained / "run.zip", trained / "again")
    a, b = trained / "again" / "model.safetensors", trained / "model" / "model.safetensors"
    assert a.read_bytes() == b.read_bytes()


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["train", "nowhere.csv"], "nowhere.csv cannot be read"),
        (["train", "pairs.csv", "--steps", "0"], "Steps"),
        (["train", "pairs.csv", "--loss", "nope"], "none of"),
        (["train", "pairs.csv", "--model", "nope"], "Unknown model"),
        (["train", "pairs.csv", "--out", "model"], "exists already"),
        (["encode", "passages.txt", "x.docx"], "must end in"),
        (["search", "passages.txt", "  "], "query is empty"),
        (["export", "pairs.csv", "x.html"], "not a run file"),
        (["export", "run.zip", "x.docx"], "unknown ending"),
        (["export", "run.zip", "model"], "exists already"),
    ],
)
def test_what_is_wrong_is_one_sentence(trained, monkeypatch, words, what):
    monkeypatch.chdir(trained)
    (trained / "passages.txt").write_text("One.\nTwo.\n")
    with pytest.raises(InputError, match=what) as caught:
        run(*words)
    assert "\n" not in str(caught.value)


def test_exit_codes_from_a_real_shell(trained):
    def call(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "core", *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            command, cwd=trained, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    wrong = call("train", "nowhere.csv")
    assert wrong.returncode == 1 and wrong.stdout == "" and "Traceback" not in wrong.stderr
    assert wrong.stderr == "Error: nowhere.csv cannot be read: No such file or directory.\n"
    assert call("dance").returncode == 2
    assert call("train", "--help").returncode == 0


@pytest.mark.parametrize("encoding", ["cp1252", None])
def test_standard_output_that_lacks_a_character_gets_a_question_mark(tmp_path, encoding):
    """As on Windows, where files and pipes have a code page. Paths with spaces and commas; lines end CRLF."""
    folder = tmp_path / "My, documents"
    folder.mkdir()
    rows = "left,right,label\r\n天气很好,weather café,1\r\nsun,rain,0\r\n"
    (folder / "a b.csv").write_bytes(rows.encode())
    save_static(tiny_static(), folder / "my, model")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding or ""}
    environment |= {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    words = ["score", str(folder / "a b.csv"), "-m", str(folder / "my, model")]
    command = [sys.executable, "-m", "core", *words]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0 and b"Traceback" not in done.stderr, done.stderr.decode()
    _, first, second = done.stdout.decode(encoding or "utf-8").splitlines()
    assert first.endswith("\t????\tweather café" if encoding else "\t天气很好\tweather café")
    assert second.endswith("\tsun\train")


def test_every_setting_of_the_page_is_an_option():
    shown = CliRunner(env={"COLUMNS": "200"}).invoke(cli.app, ["train", "--help"]).output
    left_out = {"base_model", "snapshot_every"}  # --model; and one that the command chooses itself
    for field in BY_FIELD.keys() - left_out:
        assert f"--{field.replace('_', '-')} " in shown, field
    assert "cosent" in shown and "|u-v|" in shown, "choices are listed"


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("none.csv", b"", "none.csv is empty. Give it the columns left, right and label"),
        ("two.csv", b"a,1\nc,0\n", "two.csv: Line 1: a pair is left | right | label"),
    ],
)
def test_a_refused_file_is_named(tmp_path, name, data, told):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=re.escape(told)):
        run("score", tmp_path / name)


def test_the_further_settings_reach_the_run(tmp_path):
    (tmp_path / "pairs.csv").write_text(PAIRS, encoding="utf-8")
    with pytest.raises(InputError, match="Pooling"):
        run("train", tmp_path / "pairs.csv", "--steps", 1, "--pooling", "median")
    run(
        "train",
        tmp_path / "pairs.csv",
        "--steps",
        1,
        "--held-out",
        0,
        "--pooling",
        "cls",
        "--dropout",
        0.1,
        "--warmup",
        0.2,
        "--weight-decay",
        0.01,
        "--save",
        tmp_path / "run.zip",
    )
    config = run_file.unpack((tmp_path / "run.zip").read_bytes(), "run.zip").run.config
    assert (config.pooling, config.dropout, config.warmup, config.weight_decay) == ("cls", 0.1, 0.2, 0.01)


class Lengths:
    """An encoder that costs nothing: a text's vector says how long it is and what it begins with."""

    settings, tokenizer = ModelSettings(), tiny_tokenizer()

    def encode(self, texts, **_):
        z = np.array([[len(text), ord(text[0]), ord(text[-1]), 1.0] for text in texts], np.float32)
        return z / np.linalg.norm(z, axis=1, keepdims=True)


@pytest.fixture
def lengths(monkeypatch):
    monkeypatch.setattr(registry, "load", lambda key, seed=0: Lengths())


FEW, MANY = 1_500, 7_500
JOBS = [
    ("encode", "texts.csv", "out.csv"),
    ("encode", "texts.csv", "out.parquet"),
    ("encode", "texts.csv", "out.npz"),
    ("search", "texts.csv", "a query"),
    ("score", "pairs.csv"),
]


@pytest.mark.parametrize("words", JOBS, ids=[f"{job[0]}-{job[-1][-4:]}" for job in JOBS])
def test_long_jobs_take_no_more_memory_than_short_ones(tmp_path, monkeypatch, lengths, words):
    monkeypatch.chdir(tmp_path)
    peaks = []
    for count in (10, FEW, MANY):  # the first call imports and fills caches
        rows = [f"{i} {'and so on ' * 40},{i % 7}" for i in range(count)]
        Path("texts.csv").write_text("sentence,group\n" + "\n".join(rows), encoding="utf-8")
        rows = [f"{i} {'left ' * 40},{'right ' * 40} {i},{i % 2}" for i in range(count)]
        Path("pairs.csv").write_text("left,right,label\n" + "\n".join(rows), encoding="utf-8")
        tracemalloc.start()
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
            cli.app(list(words), standalone_mode=False)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # A row is 400 characters: of those nothing may stay, of a pair its cosine, its label and their ranks.
    assert peaks[2] - peaks[1] < (MANY - FEW) * (150 if words[0] == "score" else 40), peaks


def test_long_jobs_leave_nothing_out(tmp_path, lengths):
    texts = [f"{'x' * (i % 50)}{i}" for i in range(2_500)]  # more than the page takes, and many equal ones
    (tmp_path / "texts.txt").write_text("\n".join(texts), encoding="utf-8")
    for ending in ("csv", "parquet", "npz"):
        run("encode", tmp_path / "texts.txt", tmp_path / f"z.{ending}")
    with np.load(tmp_path / "z.npz") as found:
        assert found["texts"].tolist() == texts
        z = found["embeddings"]
    assert (z == Lengths().encode(texts)).all()
    table = pq.read_table(tmp_path / "z.parquet")
    assert (
        table["text"].to_pylist() == texts
        and (np.array(table["embedding"].to_pylist(), np.float32) == z).all()
    )
    with (tmp_path / "z.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert [row[1] for row in rows[1:]] == texts
    assert (np.array([row[3:] for row in rows[1:]], np.float32) == z).all()

    lines = run("search", tmp_path / "texts.txt", texts[7], "--top", 3).splitlines()
    cosines = z @ z[7]
    best = np.argsort(-cosines, kind="stable")[:3]
    assert [line.split("\t")[1] for line in lines] == [texts[i] for i in best]

    (tmp_path / "pairs.csv").write_text("\n".join(f"{t},{texts[0]},{i % 2}" for i, t in enumerate(texts)))
    found = CliRunner().invoke(cli.app, ["score", str(tmp_path / "pairs.csv")])
    lines = found.stdout.splitlines()[1:]
    assert [line.split("\t")[2] for line in lines] == texts
    area = roc_auc_score([i % 2 for i in range(len(texts))], z @ z[0])
    assert f"AUC {area:.4f}" in found.stderr


def test_an_interrupted_job_leaves_what_was_there(tmp_path, monkeypatch, lengths):
    (tmp_path / "texts.txt").write_text("one\ntwo\n", encoding="utf-8")
    (tmp_path / "z.csv").write_text("mine", encoding="utf-8")

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Lengths, "encode", interrupted)
    words = ["encode", str(tmp_path / "texts.txt"), str(tmp_path / "z.csv")]
    assert cli.app(words, standalone_mode=False) == cli.INTERRUPTED
    assert (tmp_path / "z.csv").read_text() == "mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["texts.txt", "z.csv"]


def test_static_word_vectors_are_trained_at_their_own_rate(trained):
    out, file = trained / "static", trained / "static.zip"
    said = run(
        "train",
        trained / "pairs.csv",
        "--model",
        "static",
        "--steps",
        30,
        "--held-out",
        0,
        "--out",
        out,
        "--save",
        file,
    )
    before, after = re.search(r"random pairs\t(\S+)\t(\S+)", said).groups()
    assert float(after) < float(before) - 0.05
    assert run_file.unpack(file.read_bytes(), file.name).run.config.learning_rate == 2e-3
    run("encode", trained / "texts.txt", trained / "static.npz", "--model", out)
    with np.load(trained / "static.npz") as found:
        assert found["embeddings"].shape == (2, 128)


def test_what_is_noticed_goes_to_standard_error_and_into_the_saved_run(tmp_path):
    long = "a " * 300
    rows = [("What is my balance?", "How much money is there?", 1), ("I am \U0001f600", "I am \U0001f62d", 0)]
    rows += [(long, "A dog runs.", 0), *rows[:1], ("A cat sleeps.", "A cat is asleep.", 5)]
    lines = ["sentence1,sentence2,score", *(f"{a},{b},{label}" for a, b, label in rows)]
    (tmp_path / "p.csv").write_text("\n".join(lines), encoding="utf-8")
    scored = CliRunner().invoke(cli.app, ["score", str(tmp_path / "p.csv")])
    assert len(scored.stdout.splitlines()) == 1 + len(rows), "each row is a measurement"
    trained = ["train", str(tmp_path / "p.csv"), "--steps", "1", "--loss", "cosent", "--held-out", "0"]
    trained += ["--save", str(tmp_path / "run.zip")]
    found = CliRunner().invoke(cli.app, trained)
    assert found.exit_code == 0, repr(found.exception)
    saved = run_file.unpack((tmp_path / "run.zip").read_bytes(), "run.zip").run.sentences.notices
    for told in (scored.stderr, found.stderr, " ".join(notice.text for notice in saved)):
        assert "left = sentence1, right = sentence2, label = score" in told
        assert "taken for a scale from 0 to 5" in told
        assert "more than the 256 tokens" in told and "“a a" in told
        assert "[UNK]: \U0001f600 \U0001f62d" in told
    assert "1 rows stand there before; all are scored" in scored.stderr
    assert "Pairs given more than once are kept once" in found.stderr


def test_columns_are_chosen_by_an_option(tmp_path, lengths):
    (tmp_path / "t.csv").write_text("id,a,b\n1,yes it is,never\n2,no way out,always\n", encoding="utf-8")
    run("encode", tmp_path / "t.csv", tmp_path / "z.npz", "--columns", "3", "--no-header")
    with np.load(tmp_path / "z.npz") as found:
        assert found["texts"].tolist() == ["b", "never", "always"]
