"""Wherever somebody types a text for a model, the page says what of it that model does not read."""

from __future__ import annotations

import pytest

from tests.pages.workers import in_this_process  # noqa: F401

LONG = "天" * 290 + "\U0001f600"  # more than 256 tokens, and one that is [UNK]
WHERE = (
    ("compare", {"cmp_text": LONG}),
    ("sbert", {"sb_a": LONG}),
    ("bi_vs_cross", {"bvc_query": LONG}),
    ("bi_vs_cross", {"bvc": "Order", "bvc_a": LONG, "bvc_b": LONG}),
    ("contrast", {"con_p": LONG}),
    ("contrast", {"con": "Triplets", "con_triplets": f"{LONG} | a dog | a cat"}),
    ("similarity", {"sim": "Where it is wrong", "sim_own": f"{LONG} | a dog | a cat"}),
    ("similarity", {"sim_text": f"{LONG}\nA dog.\nA cat."}),
)


@pytest.mark.parametrize(("page", "typed"), WHERE)
def test_what_is_not_read_is_said(open_app, in_this_process, page, typed):  # noqa: F811
    app = open_app(page, **typed)
    assert not app.exception
    said = " ".join(caption.value.replace("\\", "") for caption in app.caption)
    assert "tokens that this model reads; the rest is cut" in said
    assert "the end is cut: 1 of 1" in said or typed.get("bvc") != "Order", "the cross-encoder's limit too"
