"""Compare opens with two base models measured; every view answers; a typed sentence is placed twice."""

from __future__ import annotations

import pytest

from tests.app.workers import in_this_process  # noqa: F401
from ui.compare_views import VIEWS

PAGE = "compare.py"


def test_it_opens_with_two_models_measured(open_app, in_this_process):  # noqa: F811
    app = open_app(PAGE)
    assert not app.exception and not app.warning
    assert app.title[0].value == "Compare runs"
    assert len(app.get("bidi_component")) == 2
    assert [box.label for box in app.selectbox][:2] == ["A, before", "B, after"]
    app.radio(key="cmp_guess").set_value("Most stay").run()
    assert any("nearest neighbours are the same under A and B" in text.value for text in app.markdown)


@pytest.mark.parametrize("view", list(VIEWS))
def test_every_view_opens_from_its_link(open_app, in_this_process, view):  # noqa: F811
    app = open_app(PAGE, cmp=view, cmp_map="Arrows")
    assert not app.exception and not app.error and not app.warning
    assert len(app.get("bidi_component")) == 1
    assert view == "Runs" or len(app.dataframe) >= 1


def test_a_typed_sentence_is_placed_under_both(open_app, in_this_process):  # noqa: F811
    app = open_app(PAGE, cmp_text="What a *dreadful* <b>film</b>", cmp_map="Blend")
    assert not app.exception
    assert sum("Nearest under" in caption.value for caption in app.caption) == 2


def test_a_link_to_a_run_that_is_gone_still_opens(open_app, in_this_process):  # noqa: F811
    app = open_app(PAGE, cmp_a="run:00000000", cmp_a_step="7")
    assert not app.exception and len(app.get("bidi_component")) == 2
