"""The contrast page's widgets: words that move a similarity, triplets, two runs with other negatives."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.concepts import contrast
from core.concepts.triplets import measure, parse_triplets
from core.data import sentence_sets
from core.data.split import make_split
from core.runs.messages import status_line
from core.runs.request import RunRequest
from core.types import FloatArray, InputError, Pair, Run, RunStatus, SentenceSet, TrainingConfig
from pages.contrast import keys
from ui import figures, inputs, kit, messages, state, widgets
from ui.charts import chart
from ui.figures import classifiers
from ui.predictions.gate import Gate, predict
from ui.resources import executor
from ui.runs import live_run, watching
from ui.tables import folded_table, safe_table
from ui.widgets import button, row

MODEL = "minilm-l6"
MOST_TRIPLETS = 30  # bars that can be told apart
ORDERED = ("All of them", "More than half, not all", "Half or fewer")
BETTER = ("Random negatives", "Hard negatives", "No difference, within 0.02")
CLOSE = 0.02
NO_WORD = "None: without any of them the cosine falls"
NAMES = ("random negatives", "hard negatives")
OUTCOME_COLUMNS = {"before": "AUC before", "random": "AUC, random", "hard": "AUC, hard", "steps": "steps"}
OUTCOME_COLUMNS |= {"pairs": "pairs", "held_out": "held-out pairs", "sentences": "sentences"}
EXAMPLE = (
    "coffee | I drink espresso.\ncoffee | A cup of black coffee.\ncoffee | Grind the beans finely.\n"
    "coffee | A latte with oat milk.\ntea | I drink green tea.\ntea | A pot of Earl Grey.\n"
    "tea | Let the leaves steep.\ntea | Chai with a little milk."
)


# ---- words -------------------------------------------------------------------------------------------


def words() -> None:
    """P and Q, and what every word of both does to their cosine."""
    left, right = st.columns(2)
    forget = state.setter(keys.GUESSES["words"], None)  # with other words it is another question
    p = widgets.text_input(keys.P, "P: what happened", max_chars=600, on_change=forget, at=left)
    q = widgets.text_input(keys.Q, "Q: what did not", max_chars=600, on_change=forget, at=right)
    kit.tell_unread((p, q), MODEL)
    found = kit.ask(contrast.word_effects, MODEL, p, q, busy="Leaving out words")
    of_q = [w for w in found.words if w.side == "Q"]
    options = [*dict.fromkeys(w.word for w in of_q), NO_WORD]
    question = "Which word of Q keeps the two sentences apart the most?"
    rule = f"The word without which the cosine, now {found.cosine:.3f}, rises most."
    gate = predict(keys.GUESSES["words"], question, options, rule, height=480)
    st.markdown(f"Cosine of P and Q: **{found.cosine:.3f}**. When one word is left out, it changes by:")
    names = [f"{w.side}: {w.word}" for w in found.words]
    figure = figures.bars(names, [-w.effect for w in found.words], x_title="what the word adds to the cosine")
    for bar in figure.data:  # here blue brings together and is above 0
        bar.marker.color = [figures.PUSH if w.effect > 0 else figures.NOW for w in found.words]
    chart(figure, "con_words", "What each word adds to the cosine")
    most = max(of_q, key=lambda w: w.effect)
    gate.tell(
        most.word if most.effect > 0 else NO_WORD,
        "A word that only one side has is where the difference lies, but it need not be the one that moves "
        "the vectors most. Content words weigh more than small ones, and a not or a changed verb often "
        "weighs less than its meaning deserves. A word's part is not independent of the others: leaving it "
        "out also changes how the rest is read.",
    )
    columns = {
        "side": [w.side for w in found.words],
        "word": [w.word for w in found.words],
        "on both sides": ["yes" if w.shared else "no" for w in found.words],
        "cosine without it": [found.cosine + w.effect for w in found.words],
        "what it adds": [-w.effect for w in found.words],
    }
    safe_table(columns, key="con_words_table", name="words")


# ---- triplets ----------------------------------------------------------------------------------------


def triplets() -> None:
    """Typed triplets under the untrained model: which it orders rightly, and by how much."""
    text = widgets.text_area(keys.TRIPLETS, "One a line: anchor | positive | hard negative", height=140)
    found = parse_triplets(text, most=MOST_TRIPLETS)
    if not found:
        raise InputError("There is no triplet yet. Write one a line: anchor | positive | negative.")
    kit.tell_unread([text for t in found for text in (t.anchor, t.positive, t.negative)], MODEL)
    question = "How many of these triplets does the untrained model order rightly?"
    rule = "Rightly: the anchor's cosine with the positive is the higher one."
    gate = predict(keys.GUESSES["triplets"], question, ORDERED, rule)
    cosines = kit.ask(measure, found, MODEL, 0)
    right = int((~cosines.wrong).sum())
    st.markdown(f"Ordered rightly: **{right} of {len(found)}**.")
    bars = {"with the positive": cosines.positive, "with the negative": cosines.negative}
    figure = classifiers.pairs_of_bars(
        [t.anchor for t in found], bars, y_title="cosine of the anchor", colours=(figures.NOW, figures.PUSH)
    )
    chart(figure, "con_triplets_figure", "Cosines of each anchor")
    truth = ORDERED[0] if right == len(found) else ORDERED[1] if 2 * right > len(found) else ORDERED[2]
    gate.tell(
        truth,
        "A hard negative shares words with the anchor but not its meaning, a good positive the meaning but "
        "not the words. The triplet loss is 0 once the positive leads by the margin, so a model learns only "
        "from the triplets where it does not lead by that much.",
    )
    columns = {
        "anchor": [t.anchor for t in found],
        "positive": [t.positive for t in found],
        "negative": [t.negative for t in found],
        "cos positive": cosines.positive.astype(float),
        "cos negative": cosines.negative.astype(float),
        "ordered rightly": ["no" if w else "yes" for w in cosines.wrong.tolist()],
    }
    safe_table(columns, key="con_triplets_table", name="triplets")


# ---- random against hard negatives -------------------------------------------------------------------


def hard_negatives() -> None:
    """Two runs from the same model on the same positives, with random and with mined negatives."""
    chosen = _settings()
    question = "Which negatives separate held-out pairs better after training?"
    rule = f"The higher AUC on held-out pairs; no difference: within {CLOSE:g}."
    gate = predict(keys.GUESSES["hard"], question, BETTER, rule)
    count, seed = state.get(keys.COUNT), state.get(keys.SEED)
    split = make_split(chosen, 2 * count, 0.25, seed)
    if not split.held_out:
        raise InputError("There are too few sentences to hold any out: give every group four or more.")
    z = kit.embedded(MODEL, 0, "mean", chosen.texts, busy="Mining negatives")
    sets = contrast.negative_sets(z, chosen, split.held_out, count, seed)
    inside = _mined(sets, chosen, z)
    state.write_address(keys.RUNS)
    runs = _runs()
    busy, made_from = any(r.is_active for r in runs), (chosen, sets, split.held_out)
    with row():
        button(
            "Train both",
            _start,
            *made_from,
            key="con_train",
            icon="play_arrow",
            type="primary",
            disabled=busy,
        )
        if busy:
            button("Stop", _stop, key="con_stop", icon="stop")
    if not runs:
        st.caption("Both runs start from the same model, with the same positives and held-out pairs.")
        return
    _watch()
    made = (runs[0].pairs, runs[1].pairs, runs[0].config.steps, runs[0].config.seed)
    as_set = made == (sets.random, sets.hard, state.get(keys.STEPS), seed)
    if not as_set:
        st.caption("These runs had other sentences or settings than the page has now. Train both to compare.")
    if all(r.status is RunStatus.FINISHED for r in runs):
        _result(runs, gate, inside if as_set else None)


def _settings() -> SentenceSet:
    left, right = st.columns([0.6, 0.4])
    key = inputs.sentence_set(keys.SET, only=lambda info: info.pairs is None, at=left)
    widgets.number_input(keys.SEED, "Seed", at=right)
    widgets.slider(keys.COUNT, "Pairs of each kind", at=left)
    widgets.slider(keys.STEPS, "Steps", step=10, at=right)
    if key != inputs.OWN:
        return sentence_sets.load_set(key).sentence_set
    text = inputs.own_text(keys.TEXT, "One a line: group | sentence", EXAMPLE, height=180)
    return inputs.own_sentences(text)


def _mined(sets: contrast.NegativeSets, chosen: SentenceSet, z: FloatArray) -> dict[str, float]:
    """Show the negatives of both kinds. Returns the share of each that is inside the margin at the start."""
    from core.vectors import pair_cosines

    margin = TrainingConfig().margin

    text = {s.id: s.text for s in chosen.sentences}
    columns: dict[str, list[object]] = {"kind": [], "one": [], "other": [], "cosine": []}
    means: dict[str, float] = {}
    inside: dict[str, float] = {}
    for kind, pairs in (("hard", sets.hard), ("random", sets.random)):
        kept = [p for p in pairs if not p.is_similar]
        columns["kind"] += [kind] * len(kept)
        columns["one"] += [text[p.left] for p in kept]
        columns["other"] += [text[p.right] for p in kept]
        cosines = pair_cosines(z, chosen.rows_of(kept))
        columns["cosine"] += cosines.astype(float).tolist()
        means[kind] = float(cosines.mean())
        inside[kind] = float((1 - cosines < margin).mean())
    st.markdown(
        f"Mined from the untrained model: hard negatives have a mean cosine of **{means['hard']:.2f}**, "
        f"random ones of **{means['random']:.2f}**. A negative further apart than the margin of {margin:g} "
        f"costs nothing; at the start **{inside['hard']:.0%}** of the hard and **{inside['random']:.0%}** of "
        "the random ones are closer than that and push."
    )
    if set(sets.hard) == set(sets.random):
        st.caption("Both runs get the same negatives, since there are no others: ask for fewer pairs.")
    folded_table(columns, title="The negatives", key="con_negatives", name="negatives", height=300)
    return inside


def _start(chosen: SentenceSet, sets: contrast.NegativeSets, held_out: tuple[Pair, ...]) -> None:
    config = TrainingConfig(
        loss="contrastive", steps=state.get(keys.STEPS), seed=state.get(keys.SEED), snapshot_every=5
    )
    with messages.kept_in(state.MESSAGE):
        started = tuple(
            watching.begin(RunRequest(config, chosen, pairs, held_out, layout="pca"))
            for pairs in (sets.random, sets.hard)
        )
        state.put(keys.RUNS, started)
        for run_id in started:
            live_run.remember(run_id)


def _stop() -> None:
    for run in _runs():
        executor().stop(run.id)


def _runs() -> list[Run]:
    """With random and with hard negatives; none when one has been forgotten."""
    ids = state.get(keys.RUNS)
    found = watching.runs(ids)
    return found if len(found) == len(NAMES) else []


def _watch() -> None:
    def draw(now: Sequence[Run]) -> None:
        for name, run in zip(NAMES, now):
            share = min(1.0, run.step / max(1, run.config.steps))
            st.progress(share, text=f"{name.capitalize()}: {status_line(run)}")
            messages.error(run.error)
        steps = sorted({s.step for run in now for s in run.snapshots})
        lines: dict[str, Sequence[float | None]] = {}
        for name, run in zip(NAMES, now):
            at = {s.step: s.metrics.held_out_auc for s in run.snapshots}
            lines[name] = [at.get(step) for step in steps]
        if len(steps) > 1:
            figure = figures.curve(
                steps, lines, y_range=(0.0, 1.05), last_step=now[0].config.steps, height=260
            )
            figure.update_yaxes(title="held-out AUC")
            chart(figure, "con_curve", "Held-out AUC by step")
            folded_table({"step": steps, **lines}, key="con_curve_table", name="held-out-auc")

    watching.watch(_runs, draw)


def _result(runs: list[Run], gate: Gate, inside: dict[str, float] | None) -> None:
    """What both runs ended with. Without `inside` the runs are not those of the page's settings."""
    first, last = ([run.snapshots[i].metrics for run in runs] for i in (0, -1))
    random, hard = (m.held_out_auc for m in last)
    if random is not None and hard is not None and inside is not None:
        _remember(runs, random, hard)
        near = abs(random - hard) <= CLOSE
        gate.tell(
            BETTER[2] if near else BETTER[0 if random > hard else 1],
            f"AUC {random:.3f} after random, {hard:.3f} after hard negatives, "
            f"{first[0].held_out_auc or 0.0:.3f} before. A negative teaches only while it is "
            f"inside the margin: at the start {inside['hard']:.0%} of the hard ones were and "
            f"{inside['random']:.0%} of the random ones. Whether more push also helps is another question: "
            "the hardest pairs are where a wrong label hides, and where sentences of two groups really do "
            f"say similar things. And {len(runs[0].held_out)} held-out pairs are few, so chance has a large "
            "part: change the seed, train again and look at all outcomes.",
        )
    columns: dict[str, list[object]] = {"negatives": list(NAMES)}
    for label, field in (("AUC", "held_out_auc"), ("accuracy", "held_out_accuracy")):
        columns[f"{label} before"] = [getattr(m, field) for m in first]
        columns[f"{label} after"] = [getattr(m, field) for m in last]
    columns["last loss"] = [run.snapshots[-1].loss for run in runs]
    safe_table(columns, key="con_result", name="random-against-hard")
    _all_outcomes()


def _remember(runs: list[Run], random: float, hard: float) -> None:
    key = state.get(keys.SET)
    name = "my own" if key == inputs.OWN else sentence_sets.load_set(key).title
    config, before = runs[0].config, runs[0].snapshots[0].metrics.held_out_auc or 0.0
    outcome = keys.Outcome(
        name, len(runs[0].pairs), config.steps, config.seed, len(runs[0].held_out), before, random, hard
    )
    if outcome not in state.get(keys.OUTCOMES):
        state.put(keys.OUTCOMES, (*state.get(keys.OUTCOMES), outcome))


def _all_outcomes() -> None:
    """Every comparison of this session, since one seed proves nothing."""
    every: tuple[keys.Outcome, ...] = state.get(keys.OUTCOMES)
    if not every:
        return
    changes = [o.hard - o.random for o in every]
    ahead, behind = sum(c > CLOSE for c in changes), sum(c < -CLOSE for c in changes)
    st.markdown(
        f"**All outcomes of this session**: hard negatives ahead in {ahead}, random ones in {behind}, within "
        f"{CLOSE} in {len(every) - ahead - behind}. Mean difference {sum(changes) / len(every):+.3f}."
    )
    columns: dict[str, list[object]] = {"seed": [o.seed for o in every], "hard − random": list(changes)}
    columns |= {title: [getattr(o, field) for o in every] for field, title in OUTCOME_COLUMNS.items()}
    safe_table(columns, key="con_outcomes_table", name="outcomes")
