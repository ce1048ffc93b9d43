"""Widgets of "Similarity": the sentences, the three measures, and where the model's answer is wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.concepts import similarity as sim
from core.concepts import triplets
from core.concepts.triplets import JudgedTriplets, Triplet
from core.models.settings import OWN
from core.types import FloatArray, InputError
from core.vectors import cosine_matrix, unit_rows
from pages.similarity import keys
from ui import inputs, kit, state, widgets
from ui.charts import chart
from ui.figures import vectors
from ui.tables import folded_table

ORDERS = {"typed": "As typed", "clusters": "Clustered", "nearest": "Most like the first"}
SHOWN_RANKS = 12
SIGNS = ("None", "Fewer than half", "Half or more")
SIGN_RULE = "Counted over all pairs; a cosine of exactly 0 is not below it."


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Sentences and their vectors (n, d): at length 1, or as pooled."""

    texts: tuple[str, ...]
    z: FloatArray


def sentences() -> Compared:
    """What is typed, with its vectors. Raises InputError."""
    text = widgets.text_area(keys.TEXT, "Your sentences, one a line", height=210)
    with st.expander("Model and length"):
        base_model, seed = inputs.base_model(keys.MODEL, keys.SEED)
        unit = widgets.toggle(keys.UNIT, "Scale every vector to length 1, as this model does at its end")
    texts = inputs.own_sentences(text).texts
    if not 3 <= len(texts) <= sim.MOST_SENTENCES:
        raise InputError(
            f"Sentences so far: {len(texts)}. Give at least 3 and at most {sim.MOST_SENTENCES}, one a line."
        )
    z = kit.embedded(base_model, seed, OWN, texts, False, busy="Reading the sentences")
    return Compared(texts, unit_rows(z) if unit else z)


# --- Matrix --------------------------------------------------------------------------------------


def signs(found: Compared) -> tuple[str, float]:
    """How many pairs have a cosine below zero, as one of SIGNS, and their share."""
    upper = np.triu_indices(len(found.texts), 1)
    share = float((cosine_matrix(found.z)[upper] < 0).mean())
    return SIGNS[0] if share == 0 else SIGNS[1] if share < 0.5 else SIGNS[2], share


def matrix(found: Compared) -> None:
    """All pairs under one measure, in an order of one's choice."""
    measure = sim.MEASURES[widgets.segmented_control(keys.MEASURE, "Measure", sim.MEASURES)]
    st.latex(measure.formula)
    left, right = st.columns([0.6, 0.4])
    order = widgets.segmented_control(keys.ORDER, "Order", ORDERS, at=left)
    cut = "Where to cut the tree that joins the closest sentences first."
    groups = widgets.slider(
        keys.GROUPS, "Clusters", high=len(found.texts), at=right, disabled=order != "clusters", help=cut
    )
    clusters = sim.clusters(found.z, groups)
    rows = _order(found, order, measure, clusters)
    texts = [found.texts[i] for i in rows]
    values = measure.compute(found.z)[np.ix_(rows, rows)]
    sizes = np.bincount(clusters.labels).tolist() if order == "clusters" else ()
    title = measure.title.lower()
    low = not measure.larger_is_closer
    chart(
        vectors.measure_matrix(values, texts, title, closer_is_low=low, blocks=sizes),
        "sim_matrix",
        f"Heat map: {title} of every two of the {len(texts)} sentences. The table below has the values.",
    )
    columns = {f"{i + 1}": values[:, i].astype(float) for i in range(len(texts))}
    numbered = [f"{i + 1}. {text}" for i, text in enumerate(texts)]
    cluster = {"cluster": clusters.labels[rows] + 1} if order == "clusters" else {}
    folded_table({"sentence": numbered, **cluster, **columns}, key="sim_table", name="similarity")


def _order(found: Compared, order: str, measure: sim.Measure, clusters: sim.Clusters) -> list[int]:
    if order == "clusters":
        return clusters.leaves.tolist()
    if order == "nearest":
        return np.argsort(sim.ranks(found.z, 0, measure.key), kind="stable").tolist()
    return list(range(len(found.texts)))


# --- Ranking -------------------------------------------------------------------------------------


def stretch(found: Compared) -> tuple[int, int, float]:
    """The sentence that all others are compared with, the one whose vector is stretched, and by how much."""
    anchor = inputs.numbered(keys.ANCHOR, "Compare all with", found.texts)
    stretched = inputs.numbered(keys.STRETCHED, "Stretch the vector of", found.texts)
    return anchor, stretched, widgets.slider(keys.FACTOR, "to so many times its length", step=0.1)


def ranking(found: Compared, anchor: int, stretched: int, factor: float) -> bool:
    """The places of all other sentences beside one, under each measure. True when all three agree."""
    z = sim.stretched(found.z, stretched, factor)
    ranks = {key: sim.ranks(z, anchor, key) for key in sim.MEASURES}
    others = [i for i in np.argsort(ranks["cosine"]).tolist() if i != anchor]
    shown = [i for i in others if ranks["cosine"][i] <= SHOWN_RANKS or i == stretched]
    chart(
        vectors.rank_lines(
            [found.texts[i] for i in shown],
            {sim.MEASURES[key].title: values[shown] for key, values in ranks.items()},
            shown.index(stretched) if stretched in shown and factor != 1 else None,
        ),
        "sim_ranks",
        "Lines: the place of each sentence under cosine, dot product and distance. The table has the values.",
    )
    values = {m.title: m.compute(z)[anchor, others].astype(float) for m in sim.MEASURES.values()}
    spots = {f"place by {m.title.lower()}": ranks[m.key][others] for m in sim.MEASURES.values()}
    lengths = np.linalg.norm(z, axis=1)[others].astype(float)
    columns = {"sentence": [found.texts[i] for i in others], "length": lengths, **values, **spots}
    folded_table(columns, key="sim_ranking", name="ranking")
    return all((r == ranks["cosine"]).all() for r in ranks.values())


# --- Where the model is wrong --------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The same triplets under both encoders."""

    apart: JudgedTriplets  # cosines of the bi-encoder
    together: JudgedTriplets  # scores of the cross-encoder for likeness


def kinds() -> tuple[str, ...]:
    return tuple(one.title for one in triplets.challenge_sets())


def built_in() -> Judged:
    """All challenge sets, judged now by the chosen bi-encoder and by the cross-encoder."""
    base_model, seed = inputs.base_model(keys.MODEL, keys.SEED)
    every = tuple(t for one in triplets.challenge_sets() for t in one.triplets)
    return _judged(every, base_model, seed)


def _judged(asked: tuple[Triplet, ...], base_model: str, seed: int) -> Judged:
    apart = kit.ask(triplets.measure, asked, base_model, seed, busy="Asking the bi-encoder")
    return Judged(apart, kit.ask(triplets.measure_together, asked, busy="Reading the pairs together"))


def hardest(judged: Judged, guess: str | None) -> str:
    """The kind that the bi-encoder gets wrong most often; of several the guessed one, if it is among them."""
    shares = {kind: bad / count for kind, (bad, count) in judged.apart.share_wrong().items()}
    top = [kind for kind, share in shares.items() if share == max(shares.values())]
    return guess if guess in top else top[0]


def failures(judged: Judged) -> None:
    """Bars for the kinds; then one kind, row by row."""
    apart, together = judged.apart, judged.together
    chart(
        vectors.shares_wrong({"bi-encoder": apart.share_wrong(), "cross-encoder": together.share_wrong()}),
        "sim_wrong",
        "Bars: how often each encoder judges each kind of triplet wrongly. The table has every triplet.",
    )
    st.caption(
        f"Wrong in all: bi-encoder {apart.wrong.sum()}, cross-encoder {together.wrong.sum()}, of "
        f"{len(apart.triplets)}. The cross-encoder scores likeness, the mean of both orders."
    )
    kind = widgets.selectbox(keys.KIND, "Look at", kinds())
    st.caption(next(one.why for one in triplets.challenge_sets() if one.title == kind))
    rows = [i for i, t in enumerate(apart.triplets) if t.kind == kind]
    part = tuple(apart.triplets[i] for i in rows)
    _dots(JudgedTriplets(part, apart.positive[rows], apart.negative[rows]), "sim_kind")
    _table(judged, "sim_triples")


def own() -> None:
    """The learner's own triplets, judged the same way. Raises InputError."""
    form = "sentence | means the same | only looks alike"
    typed = triplets.parse_triplets(widgets.text_area(keys.OWN, f"One a line: {form}", height=110), form)
    if not typed:
        st.caption("Type a line, and the model is asked about it.")
        return
    model = state.get(keys.MODEL), state.get(keys.SEED)
    kit.tell_unread([text for t in typed for text in (t.anchor, t.positive, t.negative)], *model)
    judged = _judged(typed, *model)
    with st.container(horizontal=True):
        st.metric("Wrong on your own", f"{judged.apart.wrong.sum()} of {len(typed)}")
        st.metric("Wrong when read together", f"{judged.together.wrong.sum()} of {len(typed)}")
    _dots(judged.apart, "sim_own_dots")
    _table(judged, "sim_own_table")


def _dots(judged: JudgedTriplets, key: str) -> None:
    chart(
        vectors.same_or_alike([t.anchor for t in judged.triplets], judged.positive, judged.negative),
        key,
        "Two marks a row: the cosine with what means the same, and with what only looks alike.",
    )


def _table(both: Judged, key: str) -> None:
    judged, together = both.apart, both.together
    folded_table(
        {
            "kind": [t.kind for t in judged.triplets],
            "sentence": [t.anchor for t in judged.triplets],
            "means the same": [t.positive for t in judged.triplets],
            "cosine, same": judged.positive.astype(float),
            "only looks alike": [t.negative for t in judged.triplets],
            "cosine, alike": judged.negative.astype(float),
            "bi-encoder": ["wrong" if w else "right" for w in judged.wrong.tolist()],
            "score, same": together.positive.astype(float),
            "score, alike": together.negative.astype(float),
            "cross-encoder": ["wrong" if w else "right" for w in together.wrong.tolist()],
        },
        key=key,
        name="known-difficult",
    )
