"""One function for each kind of step: words, something to try, a prediction, own words, cards.

Everything that a lesson file says is shown as plain text: a lesson may come from anybody.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.cards import built_in
from core.data.split import held_out_rows
from core.lessons.measurement import PLACES
from core.lessons.preparation import Prepared
from core.lessons.progress import LONGEST_EXPLANATION, Answer
from core.lessons.types import Cards, Explain, Lesson, Look, Predict, Read, Step
from core.types import InputError
from core.vectors import cosine_matrix
from pages.lessons import experiment, keys, maps, record
from ui import kit, learner, messages, state, widgets
from ui.cards import side_panel
from ui.charts import chart
from ui.figures import vectors
from ui.messages import as_written
from ui.predictions import gate
from ui.predictions.gate import Gate
from ui.tables import folded_table, safe_table
from ui.widgets import button, row

Texts = tuple[str, ...]

LONGEST = 300  # characters of a sentence in a lesson
MOST = 12  # sentences compared at once
SEEN = 0.02  # a number that changed by less looks the same in its cell


def prose(text: str) -> None:
    """Paragraphs of plain text, parted by blank lines; lines that begin with "- " are a list."""
    for block in text.split("\n\n"):
        lines = block.strip().splitlines()
        if lines and all(line.lstrip().startswith("- ") for line in lines):
            st.markdown("\n".join(f"- {as_written(line.strip()[2:])}" for line in lines))
        elif lines:
            st.markdown(as_written(" ".join(lines)))


def _words() -> DeltaGenerator:
    """Where a step without a map stands: lines of a length that can be read."""
    return st.container(width=kit.READING_WIDTH)


def _words_and_map() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Words and questions at the left, the map beside them, so that both are in sight while it moves."""
    left, right = st.columns([0.54, 0.46], gap="medium")
    return left, right


def has_map(lesson: Lesson, step: Step) -> bool:
    """Whether the step shows the moving map beside its words."""
    trains = isinstance(step, Predict) and step.measurement.trains and lesson.experiment is not None
    return trains or (isinstance(step, Look) and step.show == "map")


def read(lesson: Lesson, number: int, step: Read, bar: DeltaGenerator) -> bool:
    with _words():
        prose(step.text)
    return True


def look(lesson: Lesson, number: int, step: Look, bar: DeltaGenerator) -> bool:
    key = state.Key(f"look_{lesson.key}_{number + 1}", "\n".join(step.sentences), url=True)
    if step.show == "map":
        _map(lesson, step, key)
        return True
    if step.show == "maps":
        with _words():
            prose(step.text)
        seed = state.get(keys.SEED)
        maps.beside(step.projections, lesson.prepared(seed=seed), seed, key.name)
        return True
    with _words():
        prose(step.text)
        _numbers(key, step.sentences[0]) if step.show == "numbers" else _cosines(key)
    return True


def _map(lesson: Lesson, step: Look, key: state.Key[str]) -> None:
    words, picture = _words_and_map()
    with words:
        prose(step.text)
    with picture:
        prepared = lesson.prepared(seed=state.get(keys.SEED))
        experiment.map_of(prepared, None)
        chosen = prepared.sentences
        columns = {"sentence": list(chosen.texts), "group": [g or "" for g in chosen.groups]}
        folded_table(columns, key=f"{key.name} table", name="lesson-sentences")


def _numbers(key: state.Key[str], first: str) -> None:
    """The numbers of the typed sentence, beside those of the one that the step began with."""
    text = widgets.text_input(key, "Your sentence", max_chars=LONGEST)
    if not text.strip():
        raise InputError("There is no sentence yet. Type one above and press Enter.")
    before, vector = experiment.embed((first, text))
    shown = ", ".join(f"{number:.2f}" for number in vector[:6])
    st.markdown(f"**{len(vector)} numbers.** They begin with {shown}.")
    numbers = {"number": list(range(1, len(vector) + 1)), "value": [float(v) for v in vector]}
    now: Any = st.container()
    if text != first:
        changed = int((abs(vector - before) > SEEN).sum())
        st.markdown(
            f"**{changed} of the {len(vector)} cells** changed by more than {SEEN:g}. Before, and now:"
        )
        then, now = st.columns(2)
        with then:
            chart(vectors.strip(before), f"{key.name} before", f"{len(vector)} coloured cells, before")
        numbers["value before"] = [float(v) for v in before]
    with now:
        chart(vectors.strip(vector), f"{key.name} strip", f"{len(vector)} coloured cells, one a number")
    folded_table(numbers, key=f"{key.name} table", name="embedding")


def _cosines(key: state.Key[str]) -> None:
    text = widgets.text_area(key, f"One sentence a line, at most {MOST}", height=140)
    lines = list(dict.fromkeys(line.strip()[:LONGEST] for line in text.splitlines() if line.strip()))
    if not 2 <= len(lines) <= MOST:
        raise InputError(f"Write 2 to {MOST} different sentences, one a line; there are {len(lines)}.")
    cosines = cosine_matrix(experiment.embed(tuple(lines)))
    pairs = sorted(
        ((float(cosines[i, j]), a, b) for i, a in enumerate(lines) for j, b in enumerate(lines) if i < j),
        reverse=True,
    )
    st.markdown("**Most alike to the model:**")
    messages.plain(f"{pairs[0][1]}\n{pairs[0][2]}")
    st.markdown(f"with a cosine of {pairs[0][0]:.2f}. All pairs:")
    columns = dict(zip(("cosine", "one", "other"), zip(*pairs)))
    safe_table(columns, key=f"{key.name} table", name="cosines")


def predict(lesson: Lesson, number: int, step: Predict, bar: DeltaGenerator) -> bool:
    """Prediction, then the run or the measurement, then the comparison. True once it was measured."""
    seed = state.get(keys.SEED)
    prepared = lesson.prepared(step, seed) if lesson.experiment is not None else None
    if prepared is None or not has_map(lesson, step):
        with _words():
            return _question(lesson, number, step, prepared, bar)
    words, picture = _words_and_map()
    with words, st.container(gap="xsmall"):
        ready = _question(lesson, number, step, prepared, bar)
    with picture:
        apart = held_out_rows(prepared.sentences, prepared.held_out)
        experiment.map_of(prepared, experiment.current(lesson, number), apart)
        st.caption(
            f"{len(prepared.sentences)} sentences, {len(prepared.train)} pairs to train on. Hollow: the "
            f"{len(apart)} sentences held out, in {len(prepared.held_out)} pairs to measure."
        )
    return ready


def _question(
    lesson: Lesson, number: int, step: Predict, prepared: Prepared | None, bar: DeltaGenerator
) -> bool:
    answer = record.progress(lesson).answer(number)
    folded = has_map(lesson, step) and answer is not None and answer.outcome is not None
    if not folded:
        prose(step.text)
    name = f"{lesson.key}_{number + 1}"
    texts = _texts(step, name, locked=answer is not None)
    asked = _ask(lesson, step, name, answer)
    run = experiment.current(lesson, number)
    if answer is None:
        with bar:
            _begin(lesson, number, step, asked.guess, texts)
    messages.left_in(keys.SAID)
    if run is not None and (run.is_active or answer is None or answer.outcome is None):
        with bar if run.is_active else nullcontext():
            experiment.watch(run)
    if answer is None:
        return False
    done = prepared is not None and experiment.is_done(run, prepared)
    if done or not step.measurement.trains:  # another seed draws other maps and other samples
        answer = _settle(lesson, number, step, answer, texts)
    if answer.outcome is None:
        if run is None or not run.is_active:
            st.info("The run did not reach its end, so there is nothing to compare yet. Start over.")
        return False
    asked.compare(answer.outcome, answer.says)
    _because(step, answer)
    if done or not step.measurement.trains:
        if step.projections and prepared is not None:
            maps.beside(step.projections, prepared, state.get(keys.SEED), name)
        found = experiment.gathered(step, prepared, run, texts, state.get(keys.SEED))
        result, beside = experiment.measured(step, found)
        model = prepared.config.base_model if prepared is not None else kit.DEFAULT
        kit.tell_unread(texts, model)
        with st.expander("The numbers", icon=":material/table:"):
            experiment.numbers(step, run, result, beside, key=name)
    else:
        st.caption("These are the numbers of an earlier run. Start over to see it move again.")
    if folded:
        _what_was_asked(step)
    return True


def _what_was_asked(step: Predict) -> None:
    """Below the explanation, which is to be in sight: what has been read before the run."""
    with st.expander("What was asked", icon=":material/history:"):
        prose(step.text)
        prose("\n".join(f"- {option}" for option in step.options.values()))
        st.caption(as_written(step.rule))


def _texts(step: Predict, name: str, locked: bool) -> Texts:
    """The texts that are compared; where the lesson allows it, the learner may change them first."""
    if len(step.texts) > 1 + len(PLACES):  # words to choose among: a list of them would fill the screen
        st.caption("The words")
        st.text(", ".join(step.texts))
        return step.texts
    given: list[str] = []
    sides: list[Any] = []
    for i, text in enumerate(step.texts):
        if not sides:  # two in a row where there are many, so that the question is in sight
            sides = list(st.columns(2)) if len(step.texts) > 2 and step.editable else [nullcontext()]
        label = "The sentence" if i == 0 else f"The {PLACES[i - 1]}" if len(step.texts) > 2 else "The other"
        if step.editable:
            key = state.Key(f"text_{name}_{i + 1}", text, url=True)
            with sides.pop(0):
                typed = widgets.text_input(key, label, max_chars=LONGEST, disabled=locked)
            given.append(typed.strip())
        else:
            with row():  # on one line, so that the question is in sight
                st.caption(label, width="content")
                messages.plain(text)
            given.append(text)
    if not all(given):
        raise InputError("One of the texts is empty. Write something in each field.")
    return tuple(given)


def _ask(lesson: Lesson, step: Predict, name: str, answer: Answer | None) -> Gate:
    """The question; locked once the experiment has begun, so that a guess stays a guess."""
    key = _guess(name)
    if answer is not None:
        state.put(key, answer.prediction if answer.prediction in step.options else None)
    if has_map(lesson, step) and answer is not None and answer.outcome is not None:
        return gate.settled(key, as_written(step.question), step.options)
    more = {"narrow": has_map(lesson, step), "locked": answer is not None}
    return gate.ask(key, as_written(step.question), step.options, as_written(step.rule), **more)


def _guess(name: str) -> state.Key[str | None]:
    return state.Key(f"lesson_guess_{name}", None, url=True)


def start_over(lesson: Lesson, number: int) -> None:
    """Away with the answer of a prediction and its run, once that rests."""
    run = experiment.current(lesson, number)
    if record.progress(lesson).answer(number) is not None and (run is None or not run.is_active):
        more: dict[str, Any] = {"type": "tertiary", "help": "Predict again and run it again."}
        button("Start over", _again, lesson, number, key="lesson_again", icon="replay", **more)


def _begin(lesson: Lesson, number: int, step: Predict, prediction: str | None, texts: Texts) -> None:
    more: dict[str, Any] = {"key": "lesson_run", "type": "primary", "disabled": prediction is None}
    of, guess, seed = (lesson, number, step), prediction or "", state.get(keys.SEED)
    if step.measurement.trains:
        button("Run", experiment.start, *of, guess, seed, icon="play_arrow", **more)
    else:
        button("Measure", _measure, *of, guess, texts, icon="straighten", **more)


def _again(lesson: Lesson, number: int) -> None:
    record.keep_run(lesson, number, None)
    record.keep(lesson, record.progress(lesson).with_answer(number, None))
    state.put(_guess(f"{lesson.key}_{number + 1}"), None)


def _measure(lesson: Lesson, number: int, step: Predict, prediction: str, texts: Texts) -> None:
    """Measure what needs no training; a callback."""
    with messages.kept_in(keys.SAID):
        seed = state.get(keys.SEED)
        prepared = lesson.prepared(step, seed) if lesson.experiment is not None else None
        result, _ = experiment.measured(step, experiment.gathered(step, prepared, None, texts, seed))
        kept = record.progress(lesson).with_answer(number, Answer(prediction, result.outcome, result.says))
        record.keep(lesson, kept)


def _settle(lesson: Lesson, number: int, step: Predict, answer: Answer, texts: Texts) -> Answer:
    """Compute the outcome of the finished run, or of what stands on the page now, and keep it."""
    seed = state.get(keys.SEED)
    prepared = lesson.prepared(step, seed) if lesson.experiment is not None else None
    run = experiment.current(lesson, number)
    result, _ = experiment.measured(step, experiment.gathered(step, prepared, run, texts, seed))
    settled = Answer(answer.prediction, result.outcome, result.says)
    if settled != answer:
        record.keep(lesson, record.progress(lesson).with_answer(number, settled))
        st.rerun()  # what was asked makes room
    return settled


def _because(step: Predict, answer: Answer) -> None:
    with st.container(border=True, gap="xsmall"):
        if words := step.because.get(answer.outcome or ""):
            prose(words)
        prose(step.after)


def explain(lesson: Lesson, number: int, step: Explain, bar: DeltaGenerator) -> bool:
    with _words():
        prose(step.text)
        kept = record.progress(lesson).explanation(number)
        key = state.Key(f"lesson_words_{lesson.key}_{number + 1}", "")
        if kept and not state.get(key):
            state.put(key, kept)
        more: dict[str, Any] = {"on_change": _keep_words, "args": (lesson, number, key)}
        widgets.text_area(key, "Your explanation", max_chars=LONGEST_EXPLANATION, height=160, **more)
        button("Keep it", None, key="lesson_keep", icon="check")
        if kept:
            st.caption("Kept.")
            if step.hint:
                with st.container(border=True):
                    st.markdown("**Compare it with this**")
                    prose(step.hint)
        else:
            st.caption("Nobody marks this. Saying it yourself is what makes it stay.")
    return True


def _keep_words(lesson: Lesson, number: int, key: state.Key[str]) -> None:
    words = state.get(key).strip()
    record.keep(lesson, record.progress(lesson).with_explanation(number, words))


def cards(lesson: Lesson, number: int, step: Cards, bar: DeltaGenerator) -> bool:
    with _words():
        prose(step.text)
        for card in built_in.named(step.cards):
            side_panel.flippable(card, key=f"lesson {lesson.key} {card.id}")
        learner.study_link("Study these and more")
    return True


# Step kind -> its function, which draws it and says whether the learner may go on. What is to be pressed
# before that stands in the bar that is always in sight.
KINDS: dict[str, Callable[[Lesson, int, Any, DeltaGenerator], bool]] = {
    "read": read,
    "look": look,
    "predict": predict,
    "explain": explain,
    "cards": cards,
}
