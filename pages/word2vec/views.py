"""What the Word2Vec page says about the vectors: neighbours, analogies, the pairs of a step, the numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from core.metrics.measures import mean_random_cosine
from core.training import word2vec
from core.training.word2vec import Word2vecSnapshot, grammar
from core.types import InputError, TaskRun
from core.vectors import cosine_matrix
from core.words import same_word
from pages.word2vec import keys
from pages.word2vec import setup as page
from pages.word2vec.live import POLL, Training, is_busy
from ui import figures, kit, messages, state, widgets
from ui.charts import chart
from ui.predictions.gate import Gate, predict
from ui.runs import watching
from ui.tables import folded_table, safe_table

BESIDE = "Yes, the word that most often stands beside it"
ANOTHER = "No, another word"
STAYS, COLLAPSES = "It stays well below 1", "It comes close to 1: all words point the same way"
CLOSE_TO_ONE = 0.9
SHOWN = 10  # neighbours in the table


def ticking(now: Training, draw: Callable[[Training], None]) -> None:
    """Draw again while the run goes on."""

    def look(runs: Sequence[TaskRun[Word2vecSnapshot]]) -> None:
        for run in runs:
            with kit.sentences_not_tracebacks():
                draw(Training(run, now.rows))

    watching.watch(
        lambda: watching.task_runs([now.run.id]), look, lambda runs: any(map(is_busy, runs)), 2 * POLL
    )


# ---- neighbours ------------------------------------------------------------------------------------


def first_word(now: Training) -> str:
    """What is looked at while nothing is typed."""
    given = page.FIRST_WORD.get(state.get(keys.SOURCE))
    return given or now.corpus.vocabulary[now.rows[0]]


def _word(now: Training) -> str:
    return same_word(state.get(keys.WORD).strip()) or first_word(now)


def _row(now: Training, word: str) -> int:
    row = now.corpus.row().get(word)
    if row is None:
        raise InputError(
            f"'{word}' occurs fewer than two times in this text, so it has no vector. Try another."
        )
    return row


def neighbours(now: Training, gate: Gate) -> None:
    answer_neighbour(now, gate)
    widgets.text_input(keys.WORD, "Word", placeholder=first_word(now), max_chars=60)
    ticking(now, _neighbours)


def _neighbours(now: Training) -> None:
    word = _word(now)
    row = _row(now, word)
    corpus, vectors = now.corpus, now.state.vectors
    beside = word2vec.companions(corpus, row, now.settings.window)
    near = word2vec.nearest(vectors, vectors[row], (row,), SHOWN)
    columns = {
        f"nearest to {word}": [corpus.vocabulary[i] for i, _ in near],
        "cosine": [cosine for _, cosine in near],
        "times beside it": [int(beside[i]) for i, _ in near],
        "in the text": [int(corpus.counts[i]) for i, _ in near],
    }
    safe_table(columns, key="w2v_near", name="word2vec-neighbours")
    st.caption(f"Times beside it: how often it stands within {now.settings.window} words, in one sentence.")


def predict_neighbour(now: Training) -> Gate:
    return predict(
        keys.GUESSES["neighbour"],
        "After training, will the vector nearest to a word belong to the word that stands beside it most "
        f"often? We look at “{messages.as_written(_asked(now))}”, and leave words "
        "such as “the” aside.",
        (BESIDE, ANOTHER),
        "Beside it: within the window, in one sentence. Of several as frequent, any counts.",
        height=560,
    )


def _asked(now: Training) -> str:
    """The typed word where the text has it, else the first choice."""
    word = _word(now)
    return word if word in now.corpus.row() else first_word(now)


def answer_neighbour(now: Training, gate: Gate) -> None:
    """The measured answer, once the run is over."""
    if not now.done:
        st.caption("The answer appears when the training is over.")
        return
    word = _asked(now)
    row, corpus, vectors = _row(now, word), now.corpus, now.state.vectors
    content = [i for i in page.content_rows(corpus) if i != row]
    beside = word2vec.companions(corpus, row, now.settings.window)
    most = max(int(beside[i]) for i in content)
    companions = [i for i in content if int(beside[i]) == most]  # several may stand there equally often
    cosines = cosine_matrix(vectors[content], vectors[[row]])[:, 0]
    nearest = content[int(np.argmax(cosines))]
    companion = nearest if nearest in companions else companions[0]
    name = [messages.as_written(w) for w in corpus.vocabulary]
    cosine = float(cosines[content.index(companion)])
    others = f", as are {len(companions) - 1} other words" if len(companions) > 1 else ""
    gate.tell(
        BESIDE if nearest == companion else ANOTHER,
        f"Nearest to “{name[row]}” is “{name[nearest]}” (cosine {cosines.max():.2f}; seen beside it: "
        f"{_times(beside[nearest])}). Its most frequent companion is “{name[companion]}”{others} (cosine "
        f"{cosine:.2f}; seen beside it: {_times(beside[companion])}). "
        "A word's vector v is never compared with another v in training, only with the second vector u of "
        "its neighbours. Two words come close when they have the *same* neighbours, whether or not they "
        "ever meet.",
    )


def _times(count: int) -> str:
    return {0: "never", 1: "once"}.get(int(count), f"{count} times")


# ---- analogies -------------------------------------------------------------------------------------


def analogies(now: Training, _: None) -> None:
    label, hint = "Three words a b c: a is to b as c is to …", _first_analogy(now)
    widgets.text_input(keys.ANALOGY, label, placeholder=hint, max_chars=120)
    ticking(now, _analogy)


def _first_analogy(now: Training) -> str:
    given = page.FIRST_ANALOGY.get(state.get(keys.SOURCE))
    return given or " ".join(now.corpus.vocabulary[i] for i in now.rows[:3])


def _analogy(now: Training) -> None:
    words = (same_word(state.get(keys.ANALOGY)).strip() or _first_analogy(now)).split()
    if len(words) != 3 or len(set(words)) != 3:
        raise InputError(f"Type three different words with spaces between, such as: {_first_analogy(now)}.")
    a, b, c = (_row(now, word) for word in words)
    found = word2vec.analogy(now.state.vectors, a, b, c)
    title = f"{words[0]} : {words[1]} :: {words[2]} : …"
    columns = {title: [now.corpus.vocabulary[i] for i, _ in found], "cosine": [c for _, c in found]}
    safe_table(columns, key="w2v_analogy_rows", name="word2vec-analogy")
    st.caption("The words nearest to b − a + c, the three themselves left out.")
    if state.get(keys.SOURCE) == "grammar":
        _known_analogies(now)


def _known_analogies(now: Training) -> None:
    row, name, vectors = now.corpus.row(), now.corpus.vocabulary, now.state.vectors
    questions = [q for q in grammar.analogies() if all(word in row for word in q)]
    rows = ((row[a], row[b], row[c]) for a, b, c, _ in questions)
    answers = [name[word2vec.analogy(vectors, a, b, c, k=1)[0][0]] for a, b, c in rows]
    right = sum(answer == q[3] for answer, q in zip(answers, questions))
    st.markdown(f"The grammar makes {len(questions)} analogies true. Found now: **{right}**.")
    columns = {part: [q[i] for q in questions] for i, part in enumerate(("a", "b", "c", "true answer"))}
    columns |= {"found": answers}
    folded_table(columns, title="All of them", key="w2v_known", name="word2vec-analogies", height=300)


# ---- the pairs of a step ---------------------------------------------------------------------------


def pairs(now: Training, _: None) -> None:
    ticking(now, _pairs)


def _pairs(now: Training) -> None:
    if now.skip_grams is None:
        st.caption("The pairs appear once the training loop is loaded.")
        return
    skip_grams, name = now.skip_grams, now.corpus.vocabulary
    st.markdown("The last sentence:" if now.done else "The next sentence:")
    st.text(" ".join(skip_grams.sentence))
    st.markdown(
        "Each row is one small step. The **neighbour** should come out as real (1), the **random words** as "
        "not real (0); the number in brackets is what the vectors say now, σ(u · v)."
    )
    columns = {
        "word": [name[p[0]] for p in skip_grams.pairs],
        "neighbour": [name[p[1]] for p in skip_grams.pairs],
        "seems real": skip_grams.chance[:, 0].tolist(),
        "random words": [_negatives(now, i) for i in range(len(skip_grams.pairs))],
    }
    safe_table(columns, key="w2v_pairs", name="word2vec-pairs", height=300)
    st.caption(
        "Frequent words are left out at random (subsampling), and the reach around each word is drawn anew "
        "from 1 to the window, so near neighbours are seen more often. Random words are drawn by frequency "
        "to the power 0.75."
    )


def _negatives(now: Training, i: int) -> str:
    skip_grams, name = now.skip_grams, now.corpus.vocabulary
    assert skip_grams is not None
    drawn = zip(skip_grams.pairs[i, 2:].tolist(), skip_grams.chance[i, 1:].tolist())
    return ", ".join(f"{name[row]} ({chance:.2f})" for row, chance in drawn if row >= 0)


# ---- without negatives, and the numbers ------------------------------------------------------------


def predict_collapse(_: Training) -> Gate:
    return predict(
        keys.GUESSES["collapse"],
        "Set Negatives to 0 and train. What becomes of the average cosine between the words?",
        (STAYS, COLLAPSES),
        f"Close to 1: above {CLOSE_TO_ONE:g}.",
    )


def collapse(now: Training, gate: Gate) -> None:
    """What the random words are for: train without them."""
    ticking(now, _mean_cosine)
    if now.settings.negatives or not now.done:
        st.caption("The answer appears when a run with 0 negatives is over.")
        return
    mean = mean_random_cosine(now.state.vectors) or 0.0
    gate.tell(
        COLLAPSES if mean > CLOSE_TO_ONE else STAYS,
        f"Without random words the average cosine is {mean:.2f}, {_mean_before(now):.2f} before, "
        f"and the loss {now.state.loss:.3f}. Every "
        "pair only pulls, so one common direction satisfies all of them and the loss falls towards 0 while "
        "the vectors stop telling words apart. "
        + (
            ""
            if mean > CLOSE_TO_ONE
            else "It has not come that far here: give it more epochs or a higher rate. "
        )
        + "The negatives say what does not belong together.",
    )


def _mean_before(now: Training) -> float:
    """The average cosine before the first sentence was read."""
    return mean_random_cosine(word2vec.start(now.corpus, now.settings).vectors) or 0.0


def _mean_cosine(now: Training) -> None:
    mean, words = mean_random_cosine(now.state.vectors), len(now.corpus.vocabulary)
    st.metric(
        f"Average cosine of {words * (words - 1) // 2:,} pairs of words, {now.settings.negatives} negatives",
        "–" if mean is None else f"{mean:.2f} ({_mean_before(now):.2f} before)",
    )
    if now.history:
        steps, losses = zip(*now.history)
        lines = {"loss a pair": losses}
        figure = figures.curve(steps, lines, x_title="sentences read", last_step=now.total)
        chart(figure, "w2v_loss", "Curve: the loss of one pair by sentences read")
        st.caption("Loss of one pair, the mean over the sentences since the measurement before.")
        columns = {"sentences read": list(steps), "loss a pair": list(losses)}
        title = "Numbers of the curve"
        folded_table(columns, title=title, key="w2v_losses", name="word2vec-loss", height=220)


def numbers(now: Training) -> None:
    """The map as a table."""
    corpus, vectors, kinds = now.corpus, now.state.vectors, page.kinds()
    best = [word2vec.nearest(vectors, vectors[i], (i,), 1)[0] for i in now.rows]
    columns = {
        "word": [corpus.vocabulary[i] for i in now.rows],
        "kind": [kinds.get(corpus.vocabulary[i], "") for i in now.rows],
        "in the text": [int(corpus.counts[i]) for i in now.rows],
        "nearest": [corpus.vocabulary[i] for i, _ in best],
        "cosine": [cosine for _, cosine in best],
    }
    if now.frames and len(now.frames[-1].xy) == len(now.rows):
        columns |= {"x": now.frames[-1].xy[:, 0].tolist(), "y": now.frames[-1].xy[:, 1].tolist()}
    safe_table(columns, key="w2v_numbers", name="word2vec-map", height=300)
