"""Widgets of "Bi-encoder vs cross-encoder": what is typed, and what both encoders answer.

Each function draws one thing and is called by the page, which says why it is there.
"""

from __future__ import annotations

import time

import numpy as np
import streamlit as st

from core.concepts import bi_vs_cross
from core.concepts.bi_vs_cross import QueryScores, WordEffects
from core.models.cross_encoder import attention as joint_attention
from core.types import FloatArray
from pages.bi_vs_cross import keys
from ui import kit, messages, resources, state, widgets
from ui.charts import chart
from ui.figures import cross_encoder
from ui.tables import folded_table, safe_table
from ui.widgets import button, row

AVERAGE = "average"
SPECIAL = ("[CLS]", "[SEP]", "<s>", "</s>")  # often looked at when a head has nothing better to do
LOOKS = ("A looks at B", "B looks at A", "Everything")
LARGEST = 10_000  # sentences; where the projection ends
RATIOS = ("Less than 100 times", "100 to 10,000 times", "More than 10,000 times")
POLL = 0.5  # seconds between two looks at a measurement under way
MEASURING = (
    "Measuring both encoders on this machine. This takes about ten seconds; it waits while somebody else's "
    "measurement or training is under way."
)
TABLE_SIZES = (10, 100, 1_000, LARGEST)


# --- Rank ----------------------------------------------------------------------------------------


def query_and_candidates() -> QueryScores:
    """The query, its candidates, and both encoders' answers."""
    query = widgets.text_input(keys.QUERY, "Query", max_chars=bi_vs_cross.MAX_CHARACTERS)
    text = widgets.text_area(keys.CANDIDATES, "Candidates, one a line", height=190, max_chars=6000)
    found = _compared(query, text)
    _tell_unread(found)
    return found


def _tell_unread(found: QueryScores) -> None:
    """What of a query and its candidates the one encoder does not read, and what the other."""
    kit.tell_unread((found.query, *found.candidates), bi_vs_cross.BASE_MODEL)
    messages.notices(bi_vs_cross.cut(found.cut, len(found.candidates)))


def _compared(query: str, candidates: str) -> QueryScores:
    asked, among = bi_vs_cross.read_text(query, "The query"), bi_vs_cross.read_candidates(candidates)
    return kit.ask(bi_vs_cross.compare, asked, among, busy="Both encoders read")


def ranking(found: QueryScores) -> None:
    """The places under both, as lines and as a table."""
    bi, cross = found.bi_rank, found.cross_rank
    by_cross = np.argsort(cross)
    candidates = [found.candidates[i] for i in by_cross]
    figure = cross_encoder.ranks(candidates, bi[by_cross], cross[by_cross])
    chart(figure, "bvc_places", "Lines: each candidate's place under the bi-encoder and the cross-encoder")
    st.caption(
        "Orange lines change their place. Left: in the order of the cosines. Right: of the joint scores."
    )
    columns = {
        "candidate": candidates,
        "by cosine": bi[by_cross],
        "cosine": found.cosine[by_cross],
        "by cross": cross[by_cross],
        "score": found.score[by_cross],
        "logit": found.logit[by_cross],
    }
    safe_table(columns, key="bvc_ranking", name="ranking")


def disagreement(found: QueryScores) -> None:
    """The candidate whose place differs most, and the words behind it under each encoder."""
    gap = np.abs(found.bi_rank - found.cross_rank)
    if len(gap) < 2 or not gap.any():
        st.markdown(
            "Both encoders give these candidates the same order. Add a candidate that shares many words with "
            "the query but means something else, or one that means the same in other words."
        )
        return
    row = int(gap.argmax())
    pairs = len(gap) * (len(gap) - 1) // 2
    turned = bi_vs_cross.swapped_pairs(found.bi_rank, found.cross_rank)
    st.markdown(
        f"They order **{turned} of {pairs}** pairs of candidates differently. The place that differs most: "
        f"**{found.bi_rank[row]}** by cosine, **{found.cross_rank[row]}** by the cross-encoder, for"
    )
    messages.plain(found.candidates[row])
    effects = kit.ask(
        bi_vs_cross.word_effects,
        found.query,
        found.candidates[row],
        busy="Leaving words out",
    )
    st.markdown("Leave out one word at a time, and these weigh most for this candidate:")
    _strongest("cross-encoder, logit", effects, effects.logit_drops)
    _strongest("bi-encoder, cosine", effects, effects.cosine_drops)


def _strongest(name: str, effects: WordEffects, drops: FloatArray) -> None:
    if not len(drops):
        return
    side = ("query", "candidate")
    best, worst = int(drops.argmax()), int(drops.argmin())
    parts = [f"“{effects.words[best]}” ({side[effects.segments[best]]}) raises it by {drops[best]:.2f}"]
    if drops[worst] < 0:
        where = side[effects.segments[worst]]
        parts.append(f"“{effects.words[worst]}” ({where}) lowers it by {-drops[worst]:.2f}")
    st.text(f"{name}: {'; '.join(parts)}.")


# --- One pair ------------------------------------------------------------------------------------


def pair() -> tuple[str, str]:
    """Two texts, A and B, shared by three of the views. Raises InputError when one is empty."""
    limit = bi_vs_cross.MAX_CHARACTERS
    left = widgets.text_input(keys.LEFT, "A", max_chars=limit)
    right = widgets.text_input(keys.RIGHT, "B", max_chars=limit)
    with row():
        button("Swap A and B", _swap, key="bvc_swap", icon="swap_vert")
        button("Copy A to B", _same, key="bvc_same", icon="content_copy")
    a, b = bi_vs_cross.read_text(left, "A"), bi_vs_cross.read_text(right, "B")
    _tell_unread(kit.ask(bi_vs_cross.compare, a, (b,), busy="Both encoders read"))
    return a, b


def _swap() -> None:
    left, right = state.get(keys.LEFT), state.get(keys.RIGHT)
    state.put(keys.LEFT, right)
    state.put(keys.RIGHT, left)


def _same() -> None:
    state.put(keys.RIGHT, state.get(keys.LEFT))


def orders(left: str, right: str) -> tuple[float, float]:
    """The pair in both orders and each text with itself. Returns the difference of the scores between
    the orders, and how much the lower of the two scores of identical texts lacks to 1."""
    mixed = kit.ask(bi_vs_cross.compare, left, (right, left), busy="Both encoders read")
    same = kit.ask(bi_vs_cross.compare, right, (right,), busy="Both encoders read")
    columns = {
        "first text": ["A", "B", "A", "B"],
        "second text": ["B", "A", "A", "B"],
        "cosine": [mixed.cosine[0], mixed.cosine[0], mixed.cosine[1], same.cosine[0]],
        "logit": [mixed.logit[0], mixed.logit_swapped[0], mixed.logit[1], same.logit[0]],
        "score": [mixed.score[0], mixed.score_swapped[0], mixed.score[1], same.score[0]],
    }
    safe_table(columns, key="bvc_orders", name="orders")
    lacking = 1.0 - float(min(mixed.score[1], same.score[0]))
    return float(mixed.score[0] - mixed.score_swapped[0]), lacking


def squashing(left: str, right: str) -> None:
    """Logit against score for this pair and for the candidates of the first view."""
    found = _compared(state.get(keys.QUERY), state.get(keys.CANDIDATES))
    one = kit.ask(bi_vs_cross.compare, left, (right, left))
    names = ["A, B", *(f"query, {candidate}" for candidate in found.candidates)]
    figure = cross_encoder.sigmoid(np.concatenate([one.logit[:1], found.logit]), names)
    chart(figure, "bvc_sigmoid", "Curve from logit to score, with the pairs on it")


def attention(left: str, right: str) -> None:
    """The joint pass of A and B as a heat map: one layer and head, or averages, with its table."""
    found = kit.ask(joint_attention, left, right, busy="Reading both texts")
    layers, heads = found.weights.shape[:2]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = _number("Layer", keys.LAYER, layers)
        head = _number("Head", keys.HEAD, heads)
        look = widgets.view(keys.LOOK, "Direction", LOOKS)
        special = widgets.toggle(keys.SPECIAL, "Special tokens")
    weights = bi_vs_cross.averaged(found, layer, head)
    there, back = bi_vs_cross.across(found, weights)
    segments = np.asarray(found.segments)
    drawn = np.array([special or token not in SPECIAL for token in found.tokens])
    sides = {LOOKS[0]: (segments == 0, segments == 1), LOOKS[1]: (segments == 1, segments == 0)}
    rows, columns = (drawn & side for side in sides.get(look, (drawn, drawn)))
    looking = [t for t, keep in zip(found.tokens, rows) if keep]
    looked_at = [t for t, keep in zip(found.tokens, columns) if keep]
    shown = weights[np.ix_(rows, columns)]
    figure = cross_encoder.attention(shown, looking, looked_at)
    chart(figure, "bvc_attention", "Heat map: how much each token of the rows looks at those of the columns")
    st.caption(
        f"The tokens of A give {there:.0%} of their attention to B; those of B give {back:.0%} to A, special "
        "tokens included. The rest stays within the own text. In a bi-encoder both shares are 0: the other "
        "text is not there."
    )
    a, b = np.unravel_index(np.argsort(-shown, axis=None)[:400], shown.shape)
    strongest = {"looks": [looking[i] for i in a], "at": [looked_at[i] for i in b], "weight": shown[a, b]}
    folded_table(strongest, title="As a table", key="bvc_attention_rows", name="attention")


def _number(label: str, key: state.Key[str], count: int) -> int | None:
    """A select box for "average" or a number from 1; the row from 0, or None for the average."""
    chosen = widgets.selectbox(key, label, [AVERAGE, *map(str, range(1, count + 1))], width=130)
    return None if chosen == AVERAGE else int(chosen) - 1


def words(left: str, right: str) -> None:
    """Each word left out in turn, under both encoders, as bars and as a table."""
    effects = kit.ask(bi_vs_cross.word_effects, left, right, busy="Leaving words out")
    if not effects.words:
        st.caption("These texts hold no words to leave out.")
        return
    for column, title, drops, value in zip(
        st.columns(2),
        ("Cross-encoder, logit", "Bi-encoder, cosine"),
        (effects.logit_drops, effects.cosine_drops),
        (effects.logit, effects.cosine),
    ):
        with column:
            st.markdown(f"**{title}: {value:.2f} with all words**")
            figure = cross_encoder.word_bars(effects.words, effects.segments, drops, "the word adds")
            chart(figure, f"bvc_words_{title}", f"Bars: what each word adds under {title}")
    columns = {
        "text": ["AB"[segment] for segment in effects.segments],
        "word": list(effects.words),
        "adds to the logit": effects.logit_drops,
        "adds to the cosine": effects.cosine_drops,
    }
    safe_table(columns, key="bvc_word_rows", name="words")


# --- Cost ----------------------------------------------------------------------------------------


def ratio_name(ratio: float) -> str:
    """Which of RATIOS a ratio belongs to."""
    return RATIOS[0] if ratio < 100 else RATIOS[1] if ratio <= 10_000 else RATIOS[2]


def costs() -> float | None:
    """Measure both encoders here and now and plot it. Returns how many times as long the cross-encoder
    would take for LARGEST sentences; None while the measurement is under way."""
    from core.retrieval.costs import SBERT, CostCurve, pair_count

    number = state.get(keys.MEASUREMENT)
    future = resources.later(bi_vs_cross.costs_now, number, lane="background")
    if not future.done():

        def look() -> None:
            if future.done():
                st.rerun()
            st.info(MEASURING, icon=":material/timer:")

        st.fragment(look, run_every=POLL)()
        return None
    curve: CostCurve = future.result()
    figure = cross_encoder.costs(curve, SBERT, LARGEST)
    chart(figure, "bvc_costs", "Lines: seconds of both encoders by the number of sentences")
    st.caption(
        f"Solid: measured on this machine with one processor thread, texts of {curve.tokens:.0f} tokens on "
        f"average. Dashed: projected from {curve.per_text * 1e3:.1f} ms a text and "
        f"{curve.per_pair * 1e3:.1f} ms a pair. Dotted: published for {SBERT.texts:,} sentences, about "
        f"{SBERT.cross_seconds / 3600:.0f} hours against {SBERT.bi_seconds:.0f} seconds ({SBERT.source})."
    )
    again = state.setter(keys.MEASUREMENT, time.time_ns())
    button("Measure again", again, key="bvc_again", icon="timer")

    def ranges(measured: int) -> list[str]:
        return ["within the measured range" if n <= measured else "projected" for n in TABLE_SIZES]

    columns = {
        "sentences": [f"{n:,}" for n in TABLE_SIZES],
        "pairs": [f"{pair_count(n):,}" for n in TABLE_SIZES],
        "bi-encoder, seconds": [curve.bi_seconds(n) for n in TABLE_SIZES],
        "cross-encoder, seconds": [curve.cross_seconds(n) for n in TABLE_SIZES],
        "bi": ranges(curve.bi.texts[-1]),
        "cross": ranges(curve.cross.texts[-1]),
    }
    safe_table(columns, key="bvc_cost_rows", name="costs")
    return curve.cross_seconds(LARGEST) / max(curve.bi_seconds(LARGEST), 1e-9)
