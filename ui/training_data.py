"""What the page is about to train: the sentences and pairs that the settings and typed texts stand for."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import streamlit as st

from core.data import sentence_sets, sentences
from core.data.pairs import MiningKind, mine_pairs
from core.data.split import PairSplit, make_split
from core.losses import LOSSES
from core.types import FloatArray, InputError, Notice, Pair, Sentence, SentenceSet
from ui import messages, state
from ui.inputs import OWN

TEXTS = (state.TEXT, state.OWN_TITLE, state.PAIR_TEXT, state.MINED)  # what a link carries packed
MODES = {
    "groups": "From groups",
    "mined": "Mined from the model",
    "typed": "Only my own",
}


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Ready to train. `notices` are worth telling; `error` says why there is nothing to train yet."""

    sentences: SentenceSet
    train: tuple[Pair, ...]
    held_out: tuple[Pair, ...]
    typed: tuple[Pair, ...] = ()
    notices: tuple[Notice, ...] = ()
    error: str | None = None

    def usable(self) -> tuple[Sentence, ...]:
        """The sentences that no held-out pair uses: those that mining may look at."""
        held = {i for pair in self.held_out for i in (pair.left, pair.right)}
        return tuple(s for s in self.sentences.sentences if s.id not in held)


# These two are shared as they are: they never change, and a copy for each rerun was a third of its time.
@st.cache_resource(max_entries=64, show_spinner=False)
def read_sentences(
    set_key: str, text: str, title: str = ""
) -> tuple[SentenceSet, tuple[Pair, ...], tuple[Notice, ...]]:
    """The sentence set, its own pairs if it brings any, and what to tell about it."""
    if set_key != OWN:
        known = sentence_sets.load_set(set_key)
        return known.sentence_set, known.pairs or (), ()
    parsed = sentences.parse_sentences(text, title or SentenceSet(()).title)
    return parsed.sentence_set, (), parsed.notices


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs={SentenceSet: hash, Pair: hash})
def _split(
    key: str, chosen: SentenceSet, own: tuple[Pair, ...], mode: str, count: int, share: float, seed: int
) -> PairSplit:
    """Pairs to train on and to measure on, before the typed ones are added."""
    if mode == "typed" or not (own or any(chosen.groups)):
        return PairSplit((), (), frozenset())
    similar = 0.5 if key == OWN else sentence_sets.load_set(key).similar_share
    return make_split(chosen, count, share, seed, pairs=own or None, similar_share=similar)


def set_key() -> str:
    """The chosen set; an unknown one in a link falls back to the default."""
    key = state.get(state.SET)
    known = {info.key for info in sentence_sets.list_sets()} | {OWN}
    return key if key in known else state.SET.default


def chosen_now() -> tuple[SentenceSet, tuple[Pair, ...], tuple[Notice, ...]]:
    """What read_sentences makes of the page's set and text. Raises InputError as it does."""
    return read_sentences(set_key(), state.get(state.TEXT), state.get(state.OWN_TITLE))


def current() -> TrainingData:
    """The data that the page's settings describe now. Raises InputError for unusable sentences."""
    try:
        chosen, own, notices = chosen_now()
    except InputError as error:
        raise InputError(messages.at("Sentences", str(error))) from error
    told = (Notice(text) for text in state.get(state.TOLD)) if set_key() == OWN else ()
    notices = (*told, *(Notice(notice.said("Sentences")) for notice in notices))
    typed: tuple[Pair, ...] = ()
    if (text := state.get(state.PAIR_TEXT)).strip():
        try:
            parsed = sentences.parse_pairs(text, chosen)
        except InputError as error:  # the sentences are fine, so their map stays
            problem = messages.at("Pairs", str(error))
            return TrainingData(chosen, (), (), notices=notices, error=problem)
        typed, chosen = parsed.pairs, parsed.sentence_set
        notices = (*notices, *(Notice(notice.said("Pairs")) for notice in parsed.notices))
    mode, count = state.get(state.PAIR_MODE), state.get(state.PAIR_COUNT)
    share, seed = state.get(state.HELD_OUT), state.get(state.PAIR_SEED)
    split = _split(set_key(), chosen, own, mode, count, share, seed)
    if mode == "typed" and typed:
        split, typed = make_split(chosen, len(typed), share, seed, pairs=typed), ()
    train = split.train
    if mode == "mined":
        train = _mined(chosen, split.held_out_ids)
    held_out, lost = _without(split.held_out, typed)
    notices = (*notices, *split.notices, *lost)
    train = (*train, *typed)
    lacking = None if train or _needs_no_pairs() else _nothing_to_train(chosen, mode)
    chosen = replace(chosen, notices=notices)
    return TrainingData(chosen, train, held_out, typed, notices, lacking)


def _needs_no_pairs() -> bool:
    loss = LOSSES.get(state.get(state.CONFIG["loss"]))
    return loss is not None and loss.needs == "unlabelled"


def _without(
    held_out: tuple[Pair, ...], typed: tuple[Pair, ...]
) -> tuple[tuple[Pair, ...], tuple[Notice, ...]]:
    """Held-out pairs that share no sentence with the learner's own pairs, which are always trained on."""
    used = {i for pair in typed for i in (pair.left, pair.right)}
    kept = tuple(p for p in held_out if p.left not in used and p.right not in used)
    gone = len(held_out) - len(kept)
    text = f"Held-out pairs that share a sentence with your own pairs, so that they are not measured: {gone}."
    return kept, (Notice(text),) if gone else ()


def _nothing_to_train(chosen: SentenceSet, mode: str) -> str:
    if not len(chosen):
        return "There are no sentences yet. Type some under Sentences, one a line."
    if mode == "mined":
        return "No pairs have been mined yet. Open Pairs and press Mine."
    if mode == "typed":
        return "There are no pairs yet. Open Pairs and type some, or mark points on the map."
    if any(chosen.groups):
        return (
            "The groups give no pair to train on: it takes two different sentences with a group. Add one "
            "under Sentences, or type pairs under Pairs."
        )
    return (
        "These sentences have no groups, so no pairs can be made from them. Put a group before each "
        "sentence (weather | It will rain), or select points on the map and mark them as similar or "
        "dissimilar."
    )


def add_marked(data: TrainingData, ids: tuple[str, ...], similar: bool) -> tuple[int, int]:
    """Remember every pair among the selected sentences for `take_marked`.

    Returns how many are new, and how many are typed with another label already, which stays.
    """
    text_of = {s.id: s.text for s in data.sentences.sentences}
    chosen = [i for i in ids if i in text_of]
    try:
        typed = sentences.parse_pairs(state.get(state.PAIR_TEXT), data.sentences).pairs
    except InputError:  # nothing typed, or nothing that can be read
        typed = ()
    known = {frozenset((p.left, p.right)): p.label for p in typed}
    pairs = [
        Pair(a, b, float(similar))
        for n, a in enumerate(chosen)
        for b in chosen[n + 1 :]
        if text_of[a] != text_of[b]
    ]
    new = [p for p in pairs if frozenset((p.left, p.right)) not in known]
    state.put(state.MARKED, sentences.pairs_to_text(new, data.sentences))
    other = sum(known.get(frozenset((p.left, p.right)), p.label) != p.label for p in pairs)
    return len(new), other


def take_marked() -> None:
    """Add the pairs marked on the map to the typed ones; before the text area of these is drawn."""
    if lines := state.get(state.MARKED):
        before = state.get(state.PAIR_TEXT).rstrip("\n")
        state.put(state.PAIR_TEXT, f"{before}\n{lines}".lstrip("\n"))
        state.put(state.MARKED, "")


def mine(data: TrainingData, now: FloatArray, count: int, kind: MiningKind) -> None:
    """Replace the mined pairs by the hardest ones under the embeddings `now` (n, d) of the set's rows.

    Raises InputError where nothing can be mined.
    """
    usable = data.usable()
    row = data.sentences.row()
    subset = replace(data.sentences, sentences=usable)
    pairs = mine_pairs(now[[row[s.id] for s in usable]], subset, count, kind)
    state.put(state.MINED, " ".join(f"{row[p.left]},{row[p.right]},{p.label:g}" for p in pairs))


def _mined(chosen: SentenceSet, held_out: frozenset[str]) -> tuple[Pair, ...]:
    """The mined pairs that fit the sentences as they are now."""
    pairs = []
    for left, right, label in re.findall(r"\b(\d+),(\d+),([01])\b", state.get(state.MINED), re.ASCII):
        if max(int(left), int(right)) < len(chosen):  # a link may say anything
            pairs.append(Pair(chosen.ids[int(left)], chosen.ids[int(right)], float(label)))
    return tuple(p for p in pairs if not {p.left, p.right} & held_out)
