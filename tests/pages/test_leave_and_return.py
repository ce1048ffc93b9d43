"""What was typed and set on a page stays when the learner leaves it and comes back; links keep it too."""

from __future__ import annotations

import importlib
import random

import pytest

from core.concepts import high_dimensions, sandbox
from pages.high_dimensions import keys as high_dimensions_keys
from pages.losses import keys as losses_keys
from pages.sbert import keys as sbert_keys
from pages.sbert import views
from pages.text_to_vector import keys as text_to_vector_keys
from tests.pages.workers import in_this_process
from ui import state, widgets

__all__ = ["in_this_process"]

# page -> what somebody set there: every number and switch of the address that its first view draws.
CHANGED = {
    "text_to_vector": {"ttv": "Layers", "ttv_layer": 2, "ttv_text": "مرحبا <b>you</b>"},
    "similarity": {"sim_unit": False, "sim_clusters": 4, "sim_measure": "dot", "sim_order": "clusters"},
    "high_dimensions": {"hd_points": 40, "hd_seed": 3, "hd_dim": 8},
    "losses": {"ls_seed": 3, "ls_margin": 0.9, "ls_rate": 0.5, "ls_points": 9, "ls_negatives": False},
    "contrast": {"con": "Hard negatives", "con_count": 20, "con_steps": 60, "con_seed": 3},
    "classification": {"cls_k": 3, "cls_seed": 4, "cls_method": "knn"},
    "sbert": {
        "sb": "Concatenation",
        "sb_steps": 12,
        "sb_layers": 1,
        "sb_seeds": 3,
        "sb_seed": 5,
        "sb_rate": 1e-4,
        "sb_modes": ("u,v", "u*v"),
    },
    "failures": {"gw": "overfitting", "gw_seed": 11},
    "word2vec": {
        "w2v_window": 2,
        "w2v_negatives": 3,
        "w2v_dimensions": 20,
        "w2v_epochs": 3,
        "w2v_seed": 5,
        "w2v_shown": 40,
        "w2v_rate": 0.1,
        "w2v_forces": True,
    },
    "glossary": {"term": "margin", "glossary_search": "cosine"},
}


def linked(value: object) -> str:
    return (
        " ".join(value) if isinstance(value, tuple) else str(value).lower() if value is False else str(value)
    )


def stands(app, changed) -> dict:
    found = {name: app.session_state[name] for name in changed if name in app.session_state}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}


@pytest.mark.parametrize("page", CHANGED)
def test_it_is_still_there_after_leaving_the_page(in_this_process, open_app, page):
    changed = CHANGED[page]
    app = open_app(page, **{name: linked(value) for name, value in changed.items()})
    assert not app.exception
    assert stands(app, changed) == changed
    for name in list(app.query_params):  # the sidebar's links carry no parameters
        del app.query_params[name]
    app.switch_page("pages/home/page.py").run()
    assert not set(changed) & set(app.query_params)
    app.switch_page(f"pages/{page}/page.py").run()
    assert not app.exception
    assert stands(app, changed) == changed
    assert set(changed) <= set(app.query_params), "the address says it again"


@pytest.mark.parametrize(
    ("page", "key", "value"),
    [
        ("contrast", "con_count", "100000"),
        ("contrast", "con_seed", "-1"),
        ("contrast", "con_steps", "many"),
        ("similarity", "sim_unit", "perhaps"),
        ("losses", "ls_margin", "nan"),
        ("sbert", "sb_rate", "inf"),
        ("sbert", "sb_guess_swap", "<b>nothing</b>"),
    ],
)
def test_an_address_that_says_nonsense_gets_the_default(in_this_process, open_app, page, key, value):
    view = {"contrast": {"con": "Hard negatives"}, "sbert": {"sb": "Concatenation"}}
    view = {} if key == "sb_guess_swap" else view.get(page, {})
    app = open_app(page, **view, **{key: value})
    assert not app.exception
    own = importlib.import_module(f"pages.{page}.keys")
    known = {
        k.name: k for k in (*vars(own).values(), *sbert_keys.GUESSES.values()) if isinstance(k, state.Key)
    }
    assert app.session_state[key] == known[key].default
    assert key not in app.query_params


def test_a_guess_is_in_the_link(in_this_process, open_app):
    app = open_app("sbert")
    app.radio(key="sb_guess_swap").set_value(views.PARTS[2]).run()
    assert views.PARTS[2] in app.query_params["sb_guess_swap"]
    again = open_app("sbert", sb_guess_swap=views.PARTS[2])
    assert again.radio(key="sb_guess_swap").value == views.PARTS[2]


def test_bounds_are_those_of_the_computation():
    assert losses_keys.POINTS.bounds == sandbox.POINTS
    assert high_dimensions_keys.POINTS.bounds == (high_dimensions.FEWEST_POINTS, high_dimensions.MOST_POINTS)


ARABIC = "جملة طويلة عن الطقس في المدينة القديمة. "


def test_a_long_text_is_packed_into_the_link_and_comes_back(in_this_process, open_app):
    text = (ARABIC * 12).strip()
    app = open_app("text_to_vector")
    app.text_area(key="ttv_text").set_value(text).run()
    word = app.query_params["ttv_text"]
    word = word[0] if isinstance(word, list) else word
    assert len(word) < len(text), "percent-encoded it would be six times as long"
    again = open_app("text_to_vector", ttv_text=word)
    assert again.text_area(key="ttv_text").value == text
    broken = open_app("text_to_vector", ttv_text=word[:-9])
    assert not broken.exception and broken.text_area(key="ttv_text").value == text_to_vector_keys.TEXT.default


@pytest.mark.parametrize(
    ("page", "key", "query"),
    [
        ("high_dimensions", "hd_text", {"hd": "Real sentences", "hd_set": "own"}),
        ("sbert", "sb_text", {"sb": "The pairs", "sb_pairs": "My own pairs"}),
        ("failures", "gw_text", {"gw_text_from": "My own sentences"}),
        ("classification", "cls_text", {"cls_set": "own"}),
        ("contrast", "con_text", {"con": "Hard negatives", "con_set": "own"}),
    ],
)
def test_a_text_too_long_for_a_link_is_kept_and_said(in_this_process, open_app, page, key, query):
    number = random.Random(7)
    text = "\n".join(
        f"a | {number.random()} {number.random()} {number.random()} | neutral" for _ in range(300)
    )
    app = open_app(page, **query)
    app.text_area(key=key).set_value(text[:20_000]).run()
    assert not app.exception
    assert any(c.value == widgets.TOO_LONG for c in app.caption)
    assert key not in app.query_params and "data" not in app.query_params
    assert app.text_area(key=key).value == text[:20_000]
