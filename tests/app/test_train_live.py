"""The page without a browser: what it offers, what links do to it, what it refuses and how."""

from __future__ import annotations

import numpy as np
import pytest

from core import cross_encoder, models
from core.types import TrainingConfig
from tests.app.workers import batch_sizes, in_this_process  # noqa: F401
from ui import state


def values(app, *keys):
    return [app.session_state[key.name] for key in keys]


def test_it_opens_ready_to_train(open_app):
    app = open_app("train_live.py")
    assert not app.exception
    assert app.button(key="go").label == "Train" and not app.button(key="go").disabled


def test_a_link_sets_every_kind_of_setting(open_app):
    app = open_app("train_live.py", set="bank_intents", loss="contrastive", steps="30", learning_rate="2e-5")
    assert not app.exception
    loss, steps, rate = (state.CONFIG[f] for f in ("loss", "steps", "learning_rate"))
    assert values(app, state.SET, loss, steps, rate) == ["bank_intents", "contrastive", 30, 2e-5]


def test_a_link_to_a_set_brings_what_the_set_suggests(open_app):
    app = open_app("train_live.py", set="collapse")
    assert app.session_state["loss"] == "contrastive" != TrainingConfig().loss


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
    app = open_app("train_live.py", **{name: value})
    assert not app.exception
    assert not app.button(key="go").disabled


def test_sentences_without_groups_ask_for_pairs(open_app):
    app = open_app("train_live.py", set="own", data=state.pack({"text": "one\ntwo\nthree"}))
    assert not app.exception
    assert app.button(key="go").disabled
    assert "no groups" in app.info[0].value


def test_typed_pairs_are_enough_to_train(open_app):
    data = state.pack({"text": "one\ntwo\nthree", "pair_text": "one | two | 1\none | three | 0"})
    app = open_app("train_live.py", set="own", data=data)
    assert not app.exception
    assert not app.button(key="go").disabled


def test_a_wrong_pair_names_its_line_and_keeps_the_text(open_app):
    data = state.pack({"text": "one\ntwo", "pair_text": "one | two | 7"})
    app = open_app("train_live.py", set="own", data=data)
    assert not app.exception
    assert "ine 1" in app.info[0].value
    assert app.session_state["pair_text"] == "one | two | 7"


def test_the_pair_table_holds_both_models_scores(open_app, in_this_process, batch_sizes):  # noqa: F811
    typed = ["A <b>cat</b> sleeps.", "=A kitten naps.", "The bank failed.", "He sat by the river."]
    pairs = [(0, 1, 1), (0, 2, 0), (1, 3, 0)]
    lines = [f"{typed[a]} | {typed[b]} | {label}" for a, b, label in pairs]
    data = state.pack({"text": "\n".join(typed), "pair_text": "\n".join(lines)})
    app = open_app("train_live.py", set="own", held_out="0", panel="Pairs", data=data)
    for _ in range(5):  # a browser would look again every second
        if "…" not in (table := app.dataframe[0].value)["cross-encoder"].tolist():
            break
        app.run()
    assert not app.exception
    asked = list(zip(table["left"].str.lstrip("'"), table["right"].str.lstrip("'"), strict=True))
    assert sorted(asked) == sorted((typed[a], typed[b]) for a, b, _ in pairs)
    vectors = dict(zip(typed, models.load("minilm-l6").encode(typed)))
    np.testing.assert_allclose(table["cosine before"], [vectors[a] @ vectors[b] for a, b in asked], atol=1e-5)
    read = cross_encoder.load().score_both_orders(asked).scores
    np.testing.assert_allclose(table["cross-encoder"], read, atol=1e-5)


def test_packed_texts_survive_and_bombs_do_not():
    texts = {"text": "weather | Зима ❄️\n<b>x</b>", "pair_text": "a | b | 1"}
    assert state.unpack(state.pack(texts)) == texts
    assert state.unpack(state.pack({"text": "x" * 3_000_000})) == {}
