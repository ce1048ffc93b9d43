"""High dimensions: every view opens ready, the numbers follow the settings, bad input is one sentence."""

from __future__ import annotations

import numpy as np
import pytest

from core.concepts import high_dimensions
from core.models import registry
from pages.high_dimensions import views as hd
from tests.pages.workers import in_this_process  # noqa: F401

PAGE = "high_dimensions"
TYPED = "\n".join(
    f"{group} | {text}"
    for group, texts in {
        "food": ("The soup is hot.", "Bread is baking.", "He peels an apple.", "Salt the water."),
        "money": ("Shares fell.", "The bank closed.", "Interest rose.", "She paid the bill."),
    }.items()
    for text in texts
)
pytestmark = pytest.mark.usefixtures("in_this_process")


def metrics(app) -> dict[str, str]:
    return {m.label: m.value for m in app.metric}


@pytest.fixture
def without_umap(monkeypatch):
    """umap-learn takes half a minute to compile; the browser test draws with it."""
    from core.concepts import flat_maps

    projected = flat_maps._projected
    monkeypatch.setattr(flat_maps, "_projected", lambda method, *rest: projected("pca", *rest))


@pytest.mark.parametrize("view", ["Distances", "Real sentences"])
def test_every_view_opens_ready(open_app, view):
    app = open_app(PAGE, hd=view)
    assert not app.exception and not app.warning and not app.error
    assert app.title[0].value == "High dimensions"
    assert 1 <= len(app.get("plotly_chart")) <= len(app.dataframe)


def test_the_numbers_are_the_simulations(open_app):
    app = open_app(PAGE, hd_points="40", hd_seed="3", hd_dim="64", hd_cloud="sphere")
    expected = high_dimensions.simulate("sphere", 40, 64, 3)
    assert metrics(app)["Farthest / nearest"] == f"{expected.ratio:.2f} times"
    app.radio(key="hd_guess_ratio").set_value("Under 2 times").run()
    assert any("agrees with the measurement" in m.value for m in app.markdown)
    app.select_slider(key="hd_dim").set_value(2).run()
    assert any("Measured: Over 10 times." in m.value for m in app.markdown)


def test_typed_sentences_beside_chance(open_app):
    app = open_app(PAGE, hd="Real sentences", hd_set="own", hd_text=TYPED)
    z = registry.load("minilm-l6").encode([line.split(" | ")[1] for line in TYPED.splitlines()])
    table = app.dataframe[0].value.set_index("")
    cosines = (z @ z.T)[np.triu_indices(8, 1)]
    assert table.loc["mean cosine", "these"] == pytest.approx(float(cosines.mean()), abs=1e-4)
    assert table.loc["farthest / nearest", "random"] < table.loc["farthest / nearest", "these"]


def test_flat_maps_of_typed_sentences(open_app, without_umap):
    app = open_app(PAGE, hd="Flat maps", hd_set="own", hd_text=TYPED, hd_point="99")
    assert not app.exception and not app.warning
    assert len(app.get("plotly_chart")) == 3
    table = app.dataframe[0].value
    assert len(table) == 8 and {"PCA x", "t-SNE y", "UMAP trust"} <= set(table.columns)
    before = table["t-SNE x"].tolist()
    app.number_input(key="hd_map_seed").set_value(8).run()
    after = app.dataframe[0].value
    assert after["t-SNE x"].tolist() != before
    assert after["PCA x"].tolist() == table["PCA x"].tolist()


def test_random_vectors_are_not_compared_with_themselves(open_app):
    app = open_app(PAGE, hd="Real sentences", hd_set="noise")
    table = app.dataframe[0].value
    assert not app.exception and table["these"].tolist() != table["random"].tolist()


def test_random_vectors_can_be_flattened_too(open_app, without_umap):
    app = open_app(PAGE, hd="Flat maps", hd_set="noise", hd_neighbours="5")
    assert not app.exception and len(app.dataframe[0].value) == 100


@pytest.mark.parametrize(("text", "message"), [("", "sentence"), ("one\ntwo\nthree", "There are 3 points")])
def test_too_little_text_is_said(open_app, without_umap, text, message):
    app = open_app(PAGE, hd="Flat maps", hd_set="own", hd_text=text)
    assert not app.exception
    assert message in app.warning[0].value


def test_the_explanation_is_true_to_what_was_measured(open_app):
    few = open_app("high_dimensions", hd_dim="2", hd_guess_ratio=hd.RATIOS[2])
    assert any("still differ a lot" in m.value for m in few.markdown)
    many = open_app("high_dimensions", hd_guess_ratio=hd.RATIOS[2])
    assert any("come out nearly alike" in m.value for m in many.markdown)
