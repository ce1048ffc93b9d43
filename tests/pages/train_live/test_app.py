"""The page without a browser: what it offers, what links do to it, what it refuses and how."""

from __future__ import annotations

import json
from concurrent.futures import Future
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.data import sentence_sets
from core.models import cross_encoder, registry
from core.types import Frame, TrainingConfig
from pages.train_live import beside, map
from tests.pages.workers import batch_sizes, in_this_process  # noqa: F401
from ui import batches, resources, state
from ui.boards.moving_map import BoardResult, MarkAction
from ui.runs import live_run


def values(app, *keys):
    return [app.session_state[key.name] for key in keys]


def test_it_opens_ready_to_train(open_app):
    app = open_app("train_live")
    assert not app.exception
    assert app.button(key="go").label == "Train" and not app.button(key="go").disabled


def test_a_link_sets_every_kind_of_setting(open_app):
    app = open_app("train_live", set="bank_intents", loss="contrastive", steps="30", learning_rate="2e-5")
    assert not app.exception
    loss, steps, rate = (state.CONFIG[f] for f in ("loss", "steps", "learning_rate"))
    assert values(app, state.SET, loss, steps, rate) == ["bank_intents", "contrastive", 30, 2e-5]


def test_a_link_to_a_set_brings_what_the_set_suggests(open_app):
    app = open_app("train_live", set="collapse")
    assert app.session_state["loss"] == "contrastive" != TrainingConfig().loss


def test_static_word_vectors_bring_their_rate_and_hide_what_needs_layers(open_app):
    rate = state.CONFIG["learning_rate"].name
    app = open_app("train_live", base_model="static")
    assert not app.exception and app.session_state[rate] == 2e-3
    assert any("ignores the order of the words" in c.value for c in app.caption)
    drawn = {widget.key for kind in (app.slider, app.selectbox, app.toggle) for widget in kind}
    assert "batch_size" in drawn and not drawn & {"trained_layers", "pooling", "train_word_embeddings"}
    app.selectbox(key="base_model").set_value("minilm-l6").run()
    suggested = dict(sentence_sets.load_set("sentiment").settings)["learning_rate"]
    assert not app.exception and app.session_state[rate] == suggested
    assert "trained_layers" in {widget.key for widget in app.slider}
    app.selectbox(key="base_model").set_value("static").run()
    assert app.session_state[rate] == 2e-3
    app.selectbox(key="set").set_value("collapse").run()
    assert not app.exception and app.session_state[rate] == 2e-3


def test_another_model_leaves_a_chosen_rate_alone(open_app):
    app = open_app("train_live", learning_rate="0.0005")
    app.selectbox(key="base_model").set_value("minilm-l3").run()
    assert not app.exception and app.session_state[state.CONFIG["learning_rate"].name] == 5e-4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("set", "nope"),
        ("loss", "nope"),
        ("steps", "-5"),
        ("steps", "x"),
        ("learning_rate", "9"),
        ("data", "!!"),
    ],
)
def test_nonsense_in_a_link_is_ignored(open_app, name, value):
    app = open_app("train_live", **{name: value})
    assert not app.exception
    assert not app.button(key="go").disabled


def test_sentences_without_groups_ask_for_pairs(open_app):
    app = open_app("train_live", set="own", data=state.pack({"text": "one\ntwo\nthree"}))
    assert not app.exception
    assert app.button(key="go").disabled
    assert "no groups" in app.info[0].value


def test_typed_pairs_are_enough_to_train(open_app):
    data = state.pack({"text": "one\ntwo\nthree", "pair_text": "one | two | 1\none | three | 0"})
    app = open_app("train_live", set="own", data=data)
    assert not app.exception
    assert not app.button(key="go").disabled


def test_a_wrong_pair_names_its_line_and_keeps_the_text(open_app):
    data = state.pack({"text": "one\ntwo", "pair_text": "one | two | seven"})
    app = open_app("train_live", set="own", data=data)
    assert not app.exception
    assert "ine 1" in app.info[0].value
    assert app.session_state["pair_text"] == "one | two | seven"


def test_the_pair_table_holds_both_models_scores(open_app, in_this_process, batch_sizes):  # noqa: F811
    typed = ["A <b>cat</b> sleeps.", "=A kitten naps.", "The bank failed.", "He sat by the river."]
    pairs = [(0, 1, 1), (0, 2, 0), (1, 3, 0)]
    lines = [f"{typed[a]} | {typed[b]} | {label}" for a, b, label in pairs]
    data = state.pack({"text": "\n".join(typed), "pair_text": "\n".join(lines)})
    app = open_app("train_live", set="own", held_out="0", panel="Pairs", data=data)
    for _ in range(200):  # a browser would look again; each look waits for the model a little
        if app.dataframe and "…" not in (table := app.dataframe[0].value)["cross-encoder"].tolist():
            break
        app.run()
    assert not app.exception
    asked = list(zip(table["left"].str.lstrip("'"), table["right"].str.lstrip("'"), strict=True))
    assert sorted(asked) == sorted((typed[a], typed[b]) for a, b, _ in pairs)
    vectors = dict(zip(typed, registry.load("minilm-l6").encode(typed)))
    np.testing.assert_allclose(table["cosine before"], [vectors[a] @ vectors[b] for a, b in asked], atol=1e-5)
    read = cross_encoder.load().score_both_orders(asked).scores
    np.testing.assert_allclose(table["cross-encoder"], read, atol=1e-5)


def test_packed_texts_survive_and_bombs_do_not():
    texts = {"text": "weather | Зима ❄️\n<b>x</b>", "pair_text": "a | b | 1"}
    assert state.unpack(state.pack(texts)) == texts
    assert state.unpack(state.pack({"text": "x" * 3_000_000})) == {}


TYPED = "weather | It rains.\nweather | The sun shines.\nfood | The soup is hot.\nfood | Bread is *fresh*."


def own(open_app, text=TYPED, pair_text="", **query):
    return open_app("train_live", set="own", data=state.pack({"text": text, "pair_text": pair_text}), **query)


def captions(app):
    return [caption.value for caption in app.caption]


def test_what_people_typed_is_never_read_as_markdown(open_app):
    app = own(open_app, pair_text="a | b | **5** <b>$x$")
    assert r"\*\*5\*\* \<b\>\$x\$" in app.info[0].value
    app = own(open_app, text="a | b | c")
    assert any(r"write \\\| for a \| that" in caption for caption in captions(app))


def test_a_wrong_pair_leaves_the_sentences_their_map(open_app):
    app = own(open_app, pair_text="one | two")
    assert app.info[0].value.startswith("Pairs, line 1: ") and not app.error, "it is told once"
    assert not any("appears here once there are sentences" in caption for caption in captions(app))


def test_notices_name_their_lines(open_app):
    app = own(open_app, text=TYPED + "\n\nweather | It rains.", pair_text="new | It rains. | 1")
    assert "Sentences, line 5: Blank lines were skipped." in captions(app)
    assert any(caption.startswith("Sentences, line 6: ") for caption in captions(app))
    assert any(caption.startswith("Pairs, line 1: ") for caption in captions(app))


def test_the_way_pairs_are_made_is_marked(open_app):
    app = own(open_app)
    (ways,) = (g for g in app.get("button_group") if g.label == "Pairs")
    assert ways.value == "groups"


def test_a_loss_without_labels_needs_no_pairs(open_app):
    app = own(open_app, text="one\ntwo\nthree", loss="simcse")
    assert not app.info and not app.button(key="go").disabled


def test_one_group_gives_similar_pairs(open_app):
    assert not own(open_app, text="a | cats\na | dogs\na | birds").button(key="go").disabled
    app = own(open_app, text="a | cats\ndogs")
    assert app.button(key="go").disabled and "groups give no pair" in app.info[0].value


@pytest.mark.parametrize("mined", ["0,1,1 x,y,z 0,1 0,1,nan 0,1,7 -1,0,1 999,1,0 0,1,0,1", "0,1,1"])
def test_mined_pairs_of_a_link_are_those_that_can_be(open_app, mined):
    app = open_app(
        "train_live",
        set="own",
        pairs="mined",
        held_out="0",
        data=state.pack({"text": TYPED, "mined": mined}),
    )
    assert not app.exception and not app.button(key="go").disabled
    app.text_area(key="text").set_value("food | A cake.\n" + TYPED).run()  # every row is another sentence now
    assert app.button(key="go").disabled and "No pairs have been mined" in app.info[0].value


def test_typed_pairs_wait_for_their_set(open_app):
    app = own(open_app, pair_text="It rains. | The soup is hot. | 0")
    app.selectbox(key="set").set_value("negation").run()
    assert app.session_state["pair_text"] == ""
    app.text_area(key="pair_text").set_value("one | two | 1").run()
    app.selectbox(key="set").set_value("own").run()
    assert app.session_state["pair_text"] == "It rains. | The soup is hot. | 0"
    app.selectbox(key="set").set_value("negation").run()
    assert app.session_state["pair_text"] == "one | two | 1"


def test_a_copy_does_not_cost_the_own_text(open_app):
    app = own(open_app)
    app.selectbox(key="set").set_value("negation").run()
    shown = app.text_area(key="set_text").value
    app.text_area(key="set_text").set_value(f"{shown}\nother | One of my own.").run()
    copied = app.session_state["text"]
    assert app.session_state["set"] == "own" and copied == f"{shown}\nother | One of my own."
    app.button(key="earlier").click().run()
    assert app.session_state["text"] == TYPED
    app.button(key="earlier").click().run()
    assert app.session_state["text"] == copied


def test_the_text_of_another_set_that_comes_late_is_no_edit(open_app):
    """A slow browser sends it when somebody has just chosen another set, or gone back to one."""
    app = open_app("train_live")
    before = app.text_area(key="set_text").value
    app.selectbox(key="set").set_value("negation").run()
    app.text_area(key="set_text").set_value(before).run()
    assert app.session_state["set"] == "negation" and app.text_area(key="set_text").value != before


def stale():
    """An experiment whose last pair brought a sentence that the finished run has never seen."""
    from core.data.sentences import parse_pairs, parse_sentences
    from core.types import Forces, Frame, Metrics, Run, RunStatus, Snapshot
    from ui.training_data import TrainingData

    before = parse_sentences(TYPED).sentence_set
    now = parse_pairs("It rains. | Something new. | 1", before)
    z = np.eye(4, 384, dtype=np.float32)
    snapshots = tuple(Snapshot(step, 1.0, z, Forces.none(), Metrics()) for step in (0, 1))
    frames = tuple(Frame(step, z[:, :2], np.ones(4), 1.0, "pca") for step in (0, 1))
    run = Run("r", TrainingConfig(), before, (), (), snapshots, frames, RunStatus.FINISHED)
    return TrainingData(now.sentence_set, now.pairs, ()), run, np.eye(5, 384, dtype=np.float32)


@pytest.mark.parametrize(
    "panel", ["Progress", "Pairs", "Forces", "Cosines", "Biggest movers", "Map as table"]
)
def test_a_run_keeps_its_own_sentences(panel):
    def page(panel):
        from pages.train_live.panels import PANELS
        from tests.pages.train_live.test_app import stale

        PANELS[panel](*stale())

    app = AppTest.from_function(page, args=(panel,)).run(timeout=60)
    assert not app.exception
    if panel == "Map as table":
        assert app.dataframe[0].value["sentence"].tolist() == [s.text for s in stale()[1].sentences.sentences]


def test_a_click_that_comes_twice_begins_one_run(monkeypatch):
    """Seen once, in Firefox on a busy machine: the page then said that it had one run with another."""

    def page():
        from core.types import TrainingConfig
        from ui import training_data
        from ui.runs import live_run

        for _ in range(2):
            live_run.start(training_data.current(), TrainingConfig())

    began = []
    stub = SimpleNamespace(
        start=lambda request, alive: began.append(request) or "r",
        run=lambda run_id: SimpleNamespace(is_active=True),
    )
    monkeypatch.setattr(live_run, "executor", lambda: stub)
    monkeypatch.setattr(live_run.watching, "keep_going", lambda run_id: None)
    assert not AppTest.from_function(page).run(timeout=60).exception and len(began) == 1


def test_whole_numbers_sort_as_numbers():
    def page():
        from ui.tables import safe_table

        safe_table({"steps": [9, 100], "share": [0.5, 0.1], "name": ["a", "b"]}, key="k", name="n")

    columns = json.loads(AppTest.from_function(page).run().dataframe[0].proto.columns)
    kinds = {
        name: column["type_config"]["type"] for name, column in columns.items() if "type_config" in column
    }
    assert kinds == {"steps": "number", "share": "number", "name": "text"}


def answered(value):
    answer = Future()
    answer.set_exception(value) if isinstance(value, Exception) else answer.set_result(value)
    return answer


def test_points_marked_on_the_map_become_typed_pairs(open_app, monkeypatch):
    actions = []

    def board(*, sentence_set, **_):
        ids = sentence_set.ids
        return BoardResult(action=MarkAction(actions.pop(), (ids[0], ids[1], ids[3])) if actions else None)

    z = np.eye(4, 384, dtype=np.float32)
    monkeypatch.setattr(map, "read", lambda *_: answered(z))
    placed = Frame(0, z[:, :2], np.ones(4), 1.0, "pca")
    monkeypatch.setattr(map, "_first_layout", lambda _: answered(placed))
    monkeypatch.setattr(map.moving_map, "board", board)
    app = own(open_app, pair_text="It rains. | The sun shines. | 0")
    actions.append("similar")
    app.run()
    assert not app.exception
    assert app.text_area(key="pair_text").value.split("\n") == [
        "It rains. | The sun shines. | 0",
        "It rains. | Bread is *fresh*. | 1",
        "The sun shines. | Bread is *fresh*. | 1",
    ]
    assert "2 new pairs" in app.toast[0].value and "left as they are: 1" in app.toast[0].value


def test_scores_that_fail_are_told_in_a_sentence(open_app, monkeypatch):
    z = np.eye(4, 384, dtype=np.float32)
    broken = answered(RuntimeError("The computation stopped."))
    scores = batches.Batches(lambda _: broken, lambda _: 1, 10)
    monkeypatch.setattr(map, "read", lambda *_: answered(z))
    placed = Frame(0, z[:, :2], np.ones(4), 1.0, "pca")
    monkeypatch.setattr(map, "_first_layout", lambda _: answered(placed))
    monkeypatch.setattr(beside.batches, "pair_scores", lambda: scores)
    app = own(open_app, pair_text="It rains. | The sun shines. | 0").run()
    assert not app.exception
    assert [error.value for error in app.error] == ["The computation stopped."]


def test_a_reading_that_ends_while_the_page_is_drawn_brings_all_of_the_page(open_app, monkeypatch):
    z, known, late, panels = np.eye(4, 384, dtype=np.float32), map.known, [None], []
    reading, placed = answered(z), Frame(0, z[:, :2], np.ones(4), 1.0, "pca")
    monkeypatch.setattr(map, "read", lambda *_: reading)
    monkeypatch.setattr(map, "known", lambda of: late.pop() if of is reading and late else known(of))
    monkeypatch.setattr(map, "_first_layout", lambda _: answered(placed))
    monkeypatch.setattr(beside, "panel", lambda data, run, base: panels.append(base))
    app = own(open_app)
    assert not app.exception and not late
    assert panels and panels[-1] is z


def test_a_model_that_fails_is_told_and_the_page_rests(open_app, monkeypatch):
    asked = []
    broken = answered(RuntimeError("The computation stopped."))
    monkeypatch.setattr(map, "read", lambda *_: asked.append(1) or broken)
    app = own(open_app)
    asked.clear()
    app.run()
    assert not app.exception and len(asked) == 1
    assert [error.value for error in app.error] == ["The computation stopped."]


def test_everyday_pairs_that_cannot_be_measured_are_asked_for_once(monkeypatch):
    def page():
        from dataclasses import replace

        from pages.train_live.beside import _everyday
        from tests.pages.train_live.test_app import stale
        from ui import state

        found = _everyday(replace(stale()[1], checkpoints=(0, 1)))
        state.put(state.Key("found", None), (found, state.get(state.MESSAGE)))

    asked = []
    broken = answered(RuntimeError("The computation stopped."))
    monkeypatch.setattr(beside, "later", lambda *given: asked.append(given[1:]) or broken)
    monkeypatch.setattr(beside, "executor", lambda: SimpleNamespace(checkpoint_path=lambda *at: "checkpoint"))
    app = AppTest.from_function(page).run()
    assert not app.exception
    (nothing, again), told = app.session_state["found"]
    assert nothing is None and again and "The computation stopped." in told
    assert len(asked) == 2  # the base model and the trained one
    assert app.run().session_state["found"][0] == (None, False) and len(asked) == 2


def tickets() -> bytes:
    """A CSV as the kitchen's support desk has it: paraphrases, and random pairs of other questions."""
    rng = np.random.default_rng(7)
    asked = [[f"Question {i}, put in way {j} of {'abcdef'[j]}" for j in range(3)] for i in range(58)]
    same = [(q[j], q[j + 1], 1) for q in asked for j in range(2)][:100]
    other = [(asked[a][0], asked[b][1], 0) for a, b in rng.integers(0, 58, (140, 2)) if a != b][:100]
    lines = [f'"{a}","{b}",{label}' for a, b, label in (*same, *other)]
    return "\n".join(["left,right,label", *lines]).encode()


def test_an_uploaded_file_of_pairs_takes_the_place_of_the_demo(open_app):
    app = open_app("train_live")
    app.file_uploader(key="pair_file").set_value(("kitchen tickets.csv", tickets(), "text/csv")).run()
    assert app.session_state["set"] == "sentiment", "nothing is replaced before it has been seen"
    app.button(key="take_pairs").click().run()
    assert not app.exception
    assert (app.session_state["set"], app.session_state["pairs"]) == ("own", "typed")
    app.button(key="go").click().run()
    run = resources.executor().run(app.session_state["run_id"])
    resources.executor().stop(run.id)
    assert run.sentences.title == "kitchen tickets"
    assert all(text.startswith("Question ") for text in run.sentences.texts)
    held, used = len(run.held_out), len(run.held_out) + len(run.pairs)
    assert used <= 200 and 0.2 <= held / used <= 0.3
    assert {pair.label for pair in run.held_out} == {0.0, 1.0}
    said = " ".join(caption.value for caption in app.caption)
    assert "always trained on" not in said and "join a held-out sentence" in said


def test_an_uploaded_file_of_pairs_can_be_added_instead(open_app):
    app = open_app("train_live", pair_upload="add")
    app.session_state["pair_upload"] = "add"
    app.file_uploader(key="pair_file").set_value(("more.csv", tickets(), "text/csv")).run()
    app.button(key="take_pairs").click().run()
    assert not app.exception
    assert app.session_state["set"] == "sentiment" and app.session_state["pairs"] == "groups"
    assert app.session_state["pair_text"].startswith("Question 0")


REVIEWS = b"id,review,sentiment\n1,The plot dragged on,bad\n2,A warm comedy,good\n3,I left,bad\n4,Fun,good\n"


def test_a_file_is_seen_and_can_be_read_otherwise_before_it_is_taken(open_app):
    app = open_app("train_live")
    app.file_uploader(key="sentence_file").set_value(("reviews.csv", REVIEWS, "text/csv")).run()
    assert not app.exception
    assert app.session_state["set"] == "sentiment"
    assert "names in the first row: sentence = review, group = sentiment." in " ".join(captions(app))
    (seen,) = (table.value for table in app.dataframe if list(table.value) == ["group", "sentence"])
    assert seen["sentence"].tolist()[0] == "The plot dragged on" and seen["group"].tolist()[0] == "bad"
    menus = {menu.label: menu for menu in app.selectbox if menu.label in ("Sentence", "Group")}
    menus["Group"].set_value(-1).run()
    app.button(key="take_sentences").click().run()
    assert not app.exception
    assert app.session_state["text"] == "The plot dragged on\nA warm comedy\nI left\nFun"
    assert any(caption.startswith("reviews.csv: Read as") for caption in captions(app)), "it stays said"
    area = app.text_area(key="text")
    area.set_value(area.value + "\nMine.").run()
    assert not any(caption.startswith("reviews.csv: Read as") for caption in captions(app))


def test_a_file_that_cannot_be_read_says_why_and_a_menu_mends_it(open_app):
    app = open_app("train_live")
    data = b"left,right,label\nWe ate.,We dined.,1\nIt rains.,It snows.,0\n"
    app.file_uploader(key="sentence_file").set_value(("pairs.csv", data, "text/csv")).run()
    assert "is a table of pairs" in app.error[0].value and not app.exception
    next(menu for menu in app.selectbox if menu.label == "Sentence").set_value(1).run()
    app.button(key="take_sentences").click().run()
    assert app.session_state["text"] == "We dined.\nIt snows."


def test_pasted_cells_can_be_swapped(open_app):
    app = own(open_app, text="The kettle broke.\tbad\nLovely.\tgood\nIt stopped.\tbad\nFits.\tgood")
    assert "group = column 2" in " ".join(captions(app))
    app.button(key="swap").click().run()
    assert app.session_state["text"].splitlines()[0] == "The kettle broke. | bad"
