"""Compare opens with two base models measured; every view answers; a typed sentence is placed twice."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.concepts.diagnosis import checks
from core.storage import learners
from core.storage.database import Database
from core.types import Run
from pages.compare import changed, keys, maps, models, saving
from pages.compare.views import VIEWS
from tests.core.concepts.test_diagnosis import BEFORE, run_of
from tests.pages.workers import in_this_process  # noqa: F401
from ui import state
from ui.runs import diagnosis

PAGE = "compare"


def boards(app: AppTest) -> int:
    """How many maps are drawn."""
    return sum("cards_below" not in (part.key or "") for part in app.get("bidi_component"))


def test_it_opens_with_two_models_measured(open_app, in_this_process):  # noqa: F811
    app = open_app(PAGE)
    assert not app.exception and not app.warning
    assert app.title[0].value == "Compare runs"
    assert boards(app) == 2
    assert [box.label for box in app.selectbox][:2] == ["A, before", "B, after"]
    app.radio(key="cmp_guess").set_value("Most stay").run()
    assert any("nearest neighbours are the same under A and B" in text.value for text in app.markdown)


@pytest.mark.parametrize("view", list(VIEWS))
def test_every_view_opens_from_its_link(open_app, in_this_process, view):  # noqa: F811
    app = open_app(PAGE, cmp=view, cmp_map="Arrows")
    assert not app.exception and not app.error and not app.warning
    assert boards(app) == 1
    assert view in ("Runs", "Why worse?") or len(app.dataframe) >= 1


def test_a_typed_sentence_is_placed_under_both(open_app, in_this_process):  # noqa: F811
    app = open_app(PAGE, cmp_text="What a *dreadful* <b>film</b>", cmp_map="Blend")
    assert not app.exception
    assert sum("Nearest under" in caption.value for caption in app.caption) == 2


def test_a_link_to_a_run_that_is_gone_still_opens(open_app, in_this_process):  # noqa: F811
    app = open_app(PAGE, cmp_a="run:00000000", cmp_a_step="7")
    assert not app.exception and boards(app) == 2


def test_a_group_that_changed_together_is_selected_and_listed(open_app, in_this_process):  # noqa: F811
    app = open_app(PAGE, cmp="What changed?")
    every = app.dataframe[0].value
    app.button(key="cmp_group_0").click().run()
    chosen = app.session_state[keys.SELECTED.name]
    assert 3 <= len(chosen) < len(every) and len(app.dataframe[0].value) == len(chosen)
    app.button(key="cmp_none").click().run()
    assert len(app.dataframe[0].value) == len(every)


def test_a_bar_selects_the_sentences_that_kept_so_many(monkeypatch):
    picked: dict[str, object] = {}
    monkeypatch.setattr(changed.state, "widget_value", lambda key: {"selection": {"points": [{"x": 2}]}})
    monkeypatch.setattr(changed.state, "put", lambda key, value: picked.update({key.name: value}))
    changed._pick_bar((("a", 2), ("b", 5), ("c", 2)))
    assert picked == {keys.SELECTED.name: ("a", "c")}


@pytest.mark.parametrize("kind", maps.MAPS)
def test_every_map_is_drawn(open_app, in_this_process, kind):  # noqa: F811
    app = open_app(PAGE, cmp_map=kind)
    assert not app.exception and not app.warning
    assert boards(app) == (2 if kind in ("Side by side", "Beside chance") else 1)


def test_the_slider_goes_through_all_moments_of_one_run():
    run = finished(*range(0, 30, 2))
    a, b = (models.Side("run:r", "r", run.config, run, step) for step in (4, 28))
    both = models.Both(a, b, run.sentences, (), (), run.snapshots[0].embeddings, run.snapshots[0].embeddings)
    moments = list(maps._moments(both))
    assert len(moments) == maps.MOST_MOMENTS and moments[0] == 4 and moments[-1] == 28
    assert maps._moments(replace(both, b=replace(b, run=None))) == {}


@pytest.mark.parametrize("kept", [(), (0, 10)])
def test_a_run_is_diagnosed_and_a_remedy_is_tried_as_a_fork_beside_it(monkeypatch, kept):
    def page():
        import streamlit as st

        from tests.pages.compare.test_app import collapsed
        from ui.runs import diagnosis

        diagnosis.why_worse(collapsed(st.session_state["kept"]), lambda run, tried: st.text(tried.id))

    asked, grown = [], []
    engine = SimpleNamespace(
        start=lambda request, alive: asked.append(request) or "t",
        fork=lambda run_id, step, config: grown.append((run_id, step, config.loss)) or "t",
        resume=grown.append,
        checkpoint_path=lambda run_id, step: None,
    )
    tried = replace(collapsed(), id="t", config=collapsed().config.replace(loss="mnrl"))
    monkeypatch.setattr(diagnosis, "executor", lambda: engine)
    monkeypatch.setattr(diagnosis.live_run, "own_run", {"t": tried}.get)
    monkeypatch.setattr(diagnosis.kit, "ask", lambda function, pairs, busy: np.full(len(pairs), 0.9))
    app = AppTest.from_function(page, default_timeout=60)
    app.session_state["kept"] = kept
    app.run()
    assert not app.exception
    shown = next(table for table in app.dataframe if "check" in table.value)
    rows = shown.value
    assert list(shown.proto.column_order)[:2] == ["check", "verdict"], "a phone shows two columns"
    verdicts = rows.set_index("check")["verdict"]
    assert verdicts["Collapse"] == "found" and verdicts["Forgetting"] == "not measured"
    app.button(key="cmp_try_0").click().run()
    assert not app.exception and app.session_state[state.TRIED.name] == ("r", "t")
    if kept:
        assert grown == [("r", 0, "mnrl"), "t"] and not asked
    else:
        assert asked[0].config.loss == "mnrl" and len(asked[0].held_out) == 2 and not grown
    assert list(app.table[-1].value) == ["measure", "base model", "before", "tried"]
    assert app.text[-1].value == "t"


def test_a_remedy_that_was_tried_stands_on_the_maps_without_another_press(monkeypatch):
    def page():
        from pages.compare import models, views
        from ui import state

        _, b = models.choose()
        if b.run is not None and len(state.get(state.TRIED)) == 2:
            views._beside(*models.known_runs()[::-1])

    runs = [replace(finished(0, 4), id="t"), finished(0, 2)]
    monkeypatch.setattr(models, "known_runs", lambda: runs)
    app = AppTest.from_function(page, default_timeout=60)
    app.session_state[keys.B.name] = "run:r"
    app.session_state[state.TRIED.name], app.session_state[state.TRYING.name] = ("r", "t"), "t"
    app.run()
    assert not app.exception and not app.button
    sides = [app.session_state[key.name] for key in (keys.A, keys.A_STEP, keys.B, keys.B_STEP)]
    assert sides == ["run:r", 2, "run:t", 4]
    app.select_slider(key=keys.B_STEP.name).set_value(0).run()
    app.button(key="cmp_tried_show").click().run()
    assert app.session_state[keys.B_STEP.name] == 4 and not app.button


def test_a_fork_grows_from_what_the_remedy_leaves_as_it_is():
    run = replace(collapsed((0, 5, 10)), config=collapsed().config.replace(trained_layers=2))
    every = {check.title: check for check in checks(run)}
    overfit, noisy = replace(every["Overfitting"], change={"steps": 7}), replace(every["Label noise"])
    assert diagnosis._grows_from(run, every["Collapse"]) == 0
    assert diagnosis._grows_from(run, overfit) == 5
    assert diagnosis._grows_from(run, every["Forgetting"]) is None, "a fork keeps its layers"
    assert diagnosis._grows_from(run, replace(noisy, without=run.pairs[:1])) is None, "and its pairs"


def collapsed(kept: tuple[int, ...] = ()) -> Run:
    return replace(run_of(BEFORE * 0.02 + np.array([1, 1, 1], np.float32)), checkpoints=kept)


def finished(*steps: int) -> Run:
    from tests.pages.train_live.test_app import stale

    _, run, _ = stale()
    first = run.snapshots[0]
    return replace(run, snapshots=tuple(replace(first, step=step) for step in steps))


def test_after_follows_a_run_that_has_gone_on_but_not_a_chosen_moment(monkeypatch):
    def page():
        from pages.compare import models

        models.choose()

    runs = [finished(0, 4)]
    monkeypatch.setattr(models, "known_runs", lambda: runs)
    app = AppTest.from_function(page, default_timeout=60).run()
    assert [app.session_state[k.name] for k in (keys.A_STEP, keys.B_STEP)] == [0, 4]
    runs[0] = finished(0, 4, 8)
    app.run()
    assert [app.session_state[k.name] for k in (keys.A_STEP, keys.B_STEP)] == [0, 8]
    app.select_slider(key=keys.B_STEP.name).set_value(4).run()
    runs[0] = finished(0, 4, 8, 9)
    app.run()
    assert app.session_state[keys.B_STEP.name] == 4


def test_what_was_typed_last_is_saved_too(monkeypatch):
    def page():
        from pages.compare import saving
        from tests.pages.compare.test_app import finished

        saving.save_form(finished(0, 1))

    saved = []
    monkeypatch.setattr(saving.learner, "current", lambda: object())
    monkeypatch.setattr(saving, "_checkpoint", lambda run: None)
    monkeypatch.setattr(saving, "_store_run", lambda run, who, title, note: saved.append((title, note)))
    app = AppTest.from_function(page, default_timeout=60).run()
    app.text_input(key="keep_title r").set_value("My *title*")
    app.text_area(key="keep_note r").set_value("=a <b>note</b>")
    app.button(key="keep_save").click().run()  # in one go with the text, as a browser sends it
    assert not app.exception and saved == [("My *title*", "=a <b>note</b>")]


def test_a_file_that_no_entry_names_goes_with_a_later_save(tmp_path, monkeypatch):
    def write(*args):
        Path(args[-1]).write_bytes(b"run")
        return 3

    monkeypatch.setenv("EMBEDDING_LAB_HOME", str(tmp_path))
    monkeypatch.setattr(saving, "_checkpoint", lambda run: None)
    monkeypatch.setattr(saving.resources, "anew", write)
    with Database.open(f"sqlite:///{tmp_path / 'lab.sqlite3'}") as database:
        monkeypatch.setattr(saving.learner, "database", lambda: database)
        who = learners.create(database, "Ada", learners.new_key(), saving.learner.now())
        gallery = tmp_path / "runs" / str(who.id)
        gallery.mkdir(parents=True)
        for run_id in ("listed", "killed", "beingmade"):
            saving._store_run(replace(finished(0, 1), id=run_id), who, "", "")
            os.utime(gallery / f"{run_id}.zip", (0, 0) if run_id != "beingmade" else None)
        for run_id in ("killed", "beingmade"):
            learners.forget_run(database, who.id, run_id)
        saving._store_run(finished(0, 1), who, "", "")
        assert {file.stem for file in gallery.iterdir()} == {"listed", "beingmade", "r"}


def test_a_download_waits_for_what_was_typed_last(monkeypatch):
    typed = SimpleQueue()
    typed.put((1, "Old", "of a click whose file was not fetched"))
    threading.Timer(0.2, typed.put, [(2, "Old", "typed last")]).start()  # the callback comes later
    monkeypatch.setattr(saving, "_checkpoint", lambda run: None)
    monkeypatch.setattr(
        saving, "_made_file", lambda target, run, checkpoint, title, note, created: (title, note)
    )
    assert saving._run_bytes(finished(0, 1), typed, 1) == ("Old", "typed last")
