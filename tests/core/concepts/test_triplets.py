"""Triplets: read, judged by the model's cosines, and the built-in challenge sets."""

from __future__ import annotations

import numpy as np
import pytest

from core.concepts import triplets
from core.concepts.triplets import JudgedTriplets, Triplet
from core.models import cross_encoder, registry
from core.types import InputError


def test_a_triplet_is_wrong_when_the_alike_one_is_at_least_as_close():
    found = tuple(Triplet("a", "b", "c", kind) for kind in ("x", "x", "y"))
    judged = JudgedTriplets(found, np.array([0.9, 0.5, 0.7]), np.array([0.8, 0.5, 0.9]))
    assert judged.wrong.tolist() == [False, True, True]
    assert judged.share_wrong() == {"x": (1, 2), "y": (1, 1)}


def test_judging_is_the_models_cosine():
    one = Triplet("The cat sleeps.", "A cat is asleep.", "The cat does not sleep.")
    judged = triplets.measure((one,))
    z = registry.load("minilm-l6").encode([one.anchor, one.positive, one.negative])
    assert judged.positive[0] == pytest.approx(float(z[0] @ z[1]), abs=1e-5)
    assert judged.negative[0] == pytest.approx(float(z[0] @ z[2]), abs=1e-5)


def test_reading_together_is_the_mean_score_of_both_orders():
    one = Triplet("The cat sleeps.", "A cat is asleep.", "The cat does not sleep.")
    judged = triplets.measure_together((one,))
    both = cross_encoder.score_both_orders([(one.anchor, one.positive), (one.anchor, one.negative)])
    assert [judged.positive[0], judged.negative[0]] == pytest.approx(both.scores.tolist(), abs=1e-5)


def test_built_in_lists_are_whole_and_no_text_stands_twice():
    found = triplets.challenge_sets()
    assert len(found) >= 6 and {"negation", "numbers", "word_order"} <= {p.key for p in found}
    for one in found:
        assert len(one.triplets) == 8 and one.why and one.source
        assert all(len({t.anchor, t.positive, t.negative}) == 3 for t in one.triplets)
    sentences = [t.anchor for p in found for t in p.triplets]
    assert len(set(sentences)) == len(sentences)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("title = ", "not valid TOML"),
        ('title = "x"', "bad.toml, order: it is missing"),
        (
            'title="x"\norder=1\nwhy="w"\nsource="s"\ntriplets=[["a","b"]]',
            "line 5, triplets 1.3: it is missing",
        ),
    ],
)
def test_a_bad_list_is_named(tmp_path, content, message):
    (tmp_path / "bad.toml").write_text(content)
    with pytest.raises(InputError, match=message) as raised:
        triplets.challenge_sets(tmp_path)
    assert "bad.toml" in str(raised.value)


def test_typed_triplets():
    found = triplets.parse_triplets("a | b | c\n\n  one \\| two | x | y\n")
    assert [(t.anchor, t.positive, t.negative) for t in found] == [("a", "b", "c"), ("one | two", "x", "y")]
    assert triplets.parse_triplets(" \n") == ()
    with pytest.raises(InputError, match="Line 2 has 2 of the three"):
        triplets.parse_triplets("a | b | c\na | b")
    with pytest.raises(InputError, match=r"Line 2 .*: anchor \| positive \| negative"):
        triplets.parse_triplets("a | b | c\na | b")
    with pytest.raises(InputError, match="Line 1"):
        triplets.parse_triplets("a | b | c | d")
    with pytest.raises(InputError, match="Line 1: the sentence has 1,001 characters"):
        triplets.parse_triplets(f"a | b | {'c' * 1001}")
    with pytest.raises(InputError, match="at most 200"):
        triplets.parse_triplets("a | b | c\n" * 201)
    with pytest.raises(InputError, match="at most 30"):
        triplets.parse_triplets("a | b | c\n" * 31, most=30)
