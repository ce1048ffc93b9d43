"""Compare: opens with two base models measured, every view answers, a run file is opened and compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core import checkpoints, library, models, pairs, runfile_weights, training
from core.types import Run, RunStatus, TrainingConfig
from tests.app.workers import in_this_process  # noqa: F401
from ui.compare_views import VIEWS

PAGE = "compare.py"


@pytest.fixture(scope="module")
def run_file(tmp_path_factory) -> Path:
    """A real, short run of MiniLM, saved."""
    folder = tmp_path_factory.mktemp("saved")
    chosen = library.load_set("sentiment").sentence_set
    chosen = replace(chosen, sentences=chosen.sentences[:10] + chosen.sentences[-10:])
    split = pairs.make_split(chosen, 24, 0.25, 7)
    config = TrainingConfig(steps=2, trained_layers=1)
    trainer = training.Trainer(models.load("minilm-l6"), chosen, split.train, config, split.held_out)
    snapshots = [trainer.snapshot()]
    for _ in range(2):
        trainer.advance()
        snapshots.append(trainer.snapshot())
    checkpoints.save(trainer.checkpoint(), folder / "c.safetensors")
    run = Run(
        "saved", config, chosen, split.train, split.held_out, tuple(snapshots), status=RunStatus.FINISHED
    )
    path = folder / "run.zip"
    runfile_weights.save(run, str(folder / "c.safetensors"), "My *first* run", "a note", "", str(path))
    return path


def test_it_opens_with_two_models_measured(open_app, in_this_process):  # noqa: F811
    app = open_app(PAGE)
    assert not app.exception
    assert app.title[0].value == "Compare runs"
    assert len(app.get("bidi_component")) == 2
    assert [box.label for box in app.selectbox][:2] == ["A, before", "B, after"]


@pytest.mark.parametrize("view", list(VIEWS))
def test_every_view_opens_from_its_link(open_app, in_this_process, view):  # noqa: F811
    app = open_app(PAGE, cmp=view, cmp_map="Arrows")
    assert not app.exception and not app.error
    assert len(app.get("bidi_component")) == 1


def test_a_typed_sentence_is_placed_under_both(open_app, in_this_process):  # noqa: F811
    app = open_app(PAGE, cmp_text="What a *dreadful* <b>film</b>", cmp_map="Blend")
    assert not app.exception
    assert sum("Nearest under" in caption.value for caption in app.caption) == 2
