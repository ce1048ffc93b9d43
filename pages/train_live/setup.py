"""Where a training is set up: the sentences, the pairs, and the settings of the training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.data import sentence_sets, sentences
from core.data.pairs import MiningKind
from core.losses import LOSSES
from core.models import registry
from core.models.settings import OWN as OWN_POOLING
from core.training import controls
from core.training.controls import Control
from core.types import InputError, Sentence, SentenceSet
from pages.train_live import keys, map
from ui import inputs, state, training_data, widgets
from ui.inputs import OWN
from ui.widgets import button

SET_WIDTH = 210  # pixels: on a phone the filled button stands beside it
TEXT_HEIGHT = 300  # pixels: with the lines below it as high as the map in the smallest window
OWN_TOO = "Your own pairs are all trained on, beside the others; what is held out is measured on the others."
EXAMPLE = "weather | It will rain all day.\nweather | The sun is out.\nfood | This soup is too salty."


def choose_set() -> None:
    """The menu of sentence sets."""
    inputs.sentence_set(state.SET, on_change=_set_changed, label_visibility="collapsed", width=SET_WIDTH)


def open_set() -> None:
    """At the start of a session: a link that names a set brings the settings the set suggests, except
    for those the link names itself. Whenever Home hands over sentences, they are the set. After Back or
    Forward the typed pairs are those of the set that came back."""
    _take_handed()
    key = training_data.set_key()
    if state.went_back() and state.get(keys.PAIR_SET) not in ("", key):
        _change_pairs(key)
    state.put(keys.PAIR_SET, state.get(keys.PAIR_SET) or key)
    if not state.once("set"):
        return
    _suggest({f: v for f, v in _suggestions().items() if not state.in_link(state.CONFIG[f])})
    if key == OWN:
        return
    info = sentence_sets.load_set(key)
    if not state.in_link(state.PAIR_COUNT) and info.pair_count != state.PAIR_COUNT.default:
        state.put(state.PAIR_COUNT, info.pair_count)


def _take_handed() -> None:
    """The sentences typed on Home, as if they had been typed here."""
    text = state.get(state.HANDED)
    if not text:
        return
    state.put(state.HANDED, "")
    replace_text(text)
    state.put(state.OWN_TITLE, "")
    state.put(state.SET, OWN)
    _set_changed()
    state.put(state.PAIR_TEXT, "")  # earlier pairs are about other sentences


def _set_changed() -> None:
    """A set may suggest settings; a new set also means its own pairs and no run yet."""
    state.put(state.RUN_ID, None)
    key = state.get(state.SET)
    _change_pairs(key)
    if key == OWN and not state.get(state.TEXT):
        state.put(state.TEXT, EXAMPLE)
    for field in state.get(keys.SUGGESTED):
        state.put(state.CONFIG[field], state.CONFIG[field].default)
    _suggest(_suggestions())
    if key != OWN:
        state.put(state.PAIR_COUNT, sentence_sets.load_set(key).pair_count)


def _model_changed() -> None:
    """Static word vectors need longer steps; with another model the usual rate comes back."""
    rate = state.CONFIG["learning_rate"]
    rates = {row.rate for row in registry.available().values() if row.rate is not None}
    suggested = _suggestions().get(rate.name, rate.default)
    if suggested in rates or state.get(rate) in rates:
        state.put(rate, suggested)


def _suggestions() -> dict[str, object]:
    """What the chosen set and the chosen model suggest. The set's rate is meant for models with layers."""
    key = training_data.set_key()
    found = {} if key == OWN else dict(sentence_sets.load_set(key).settings)
    rate = registry.available()[_base_model()].rate
    return found if rate is None else found | {"learning_rate": rate}


def _suggest(settings: Mapping[str, object]) -> None:
    for field, value in settings.items():
        state.put(state.CONFIG[field], value)
    state.put(keys.SUGGESTED, tuple(settings))


def edit_sentences() -> None:
    """The text box, always open. Whoever types into a built-in set has a set of their own."""
    key = training_data.set_key()
    if key != OWN:
        known = sentence_sets.load_set(key)
        state.put(keys.SET_TEXT, _text_of(key))
        st.text_area(
            "Your sentences, one a line",
            key=keys.SET_TEXT.name,
            height=TEXT_HEIGHT,
            on_change=_set_edited,
            args=(known.sentence_set.title,),
            help=f"{known.point} Type here to change it: group | sentence.",
        )
        return
    label, says = (
        "Your sentences, one a line",
        "With a group, as in: food | This soup is too salty. Or without.",
    )
    widgets.text_area(state.TEXT, label, height=TEXT_HEIGHT, on_change=text_changed, help=says)
    if "\t" in state.get(state.TEXT):
        _offer_swap()


def _offer_swap() -> None:
    """Which side of cells pasted from a spreadsheet is the group is guessed, so a click can change it."""
    try:
        parsed = sentences.parse_sentences(state.get(state.TEXT))
    except InputError:
        return
    if parsed.columns is not None and "group" in parsed.columns.roles:
        swapped = (Sentence(s.id, s.group, s.text) if s.group else s for s in parsed.sentence_set.sentences)
        text = sentences.to_text(SentenceSet(tuple(swapped)))
        button("Swap sentences and groups", _replace_and_change, text, key="swap", icon="swap_horiz")


def _replace_and_change(text: str) -> None:
    replace_text(text)
    text_changed()


def _text_of(key: str) -> str:
    """A built-in set as the text box shows it."""
    return sentences.to_text(sentence_sets.load_set(key).sentence_set)


def _set_edited(title: str) -> None:
    """The typed text, which began as a built-in set, becomes one's own.

    A browser that was busy while another set was chosen may still send the text of the one before.
    """
    text = state.get(keys.SET_TEXT)
    if any(text == _text_of(info.key) for info in sentence_sets.list_sets()):
        return
    remember_pairs()
    replace_text(text)
    state.put(state.OWN_TITLE, f"{title}, edited")
    state.put(state.SET, OWN)
    state.put(keys.PAIR_SET, OWN)
    text_changed()


def replace_text(text: str) -> None:
    """Put another text into the text area; what stood there can be brought back."""
    before = state.get(state.TEXT)
    if before.strip() and before not in (EXAMPLE, text):
        state.put(keys.EARLIER_TEXT, before)
    state.put(state.TEXT, text)


def swap_text() -> None:
    replace_text(state.get(keys.EARLIER_TEXT))
    text_changed()


def text_changed() -> None:
    state.put(state.RUN_ID, None)
    state.put(state.MINED, "")  # mined pairs are rows of the sentences as they were
    state.put(state.TOLD, ())


def edit_pairs() -> None:
    """How the pairs come about: made from groups, mined from the model, or typed."""
    mode = widgets.segmented_control(state.PAIR_MODE, "Pairs", training_data.MODES)
    left, middle, right = st.columns(3)
    if mode != "typed":
        widgets.number_input(state.PAIR_COUNT, "Number of pairs", step=10, at=left)
    widgets.number_input(state.PAIR_SEED, "Seed", at=middle)
    says = "Share of the sentences kept away from training. Accuracy is measured on pairs of those."
    widgets.slider(state.HELD_OUT, "Held out", step=0.05, help=says, at=right)
    if mode == "mined":
        _mining()
    label = "My own pairs, one a line: left | right | 1 for similar or 0 for dissimilar"
    example = "The sun is out. | It is a bright day. | 1"
    widgets.text_area(state.PAIR_TEXT, label, height=120, placeholder=example)
    st.caption(
        ("Of these pairs a share is held out, as set above." if mode == "typed" else OWN_TOO)
        + " Points selected on the map can be added here too."
    )


def remember_pairs() -> None:
    """Keep the typed pairs of the set that is left, for whoever comes back to it."""
    drafts = _drafts() | {state.get(keys.PAIR_SET): state.get(state.PAIR_TEXT)}
    state.put(keys.PAIR_DRAFTS, tuple(drafts.items()))


def _change_pairs(key: str) -> None:
    """Take the pairs that were typed about this set; what was mined belongs to another."""
    state.put(state.MINED, "")
    remember_pairs()
    state.put(state.PAIR_TEXT, _drafts().get(key, ""))
    state.put(keys.PAIR_SET, key)


def _drafts() -> dict[str, str]:
    """Set -> the pairs typed about it."""
    kept = state.get(keys.PAIR_DRAFTS)
    return dict(kept)


def _mining() -> None:
    kinds: dict[MiningKind, str] = {
        "both": "Hard pairs of both kinds",
        "hard_negative": "Hard negatives: other group, yet close",
        "hard_positive": "Hard positives: same group, yet far",
    }
    kind, place = st.columns([0.7, 0.3], vertical_alignment="bottom")
    chosen = widgets.selectbox(keys.MINE_KIND, "Kind", kinds, at=kind)
    with place:
        says = "The pairs that the model, as it is now, gets most wrong. Held-out sentences stay out."
        button("Mine", map.mine_now, chosen, key="mine", icon="search", help=says)


def settings() -> None:
    """The settings that matter first; the rest folded away."""
    loss, layers = _loss(), _layers()
    for control in controls.visible(loss, layers, expert=False):
        _draw(control)
        if control.field == "base_model":
            st.caption(registry.available()[_base_model()].description)
        if control.field == "loss":
            st.caption(LOSSES[loss].summary)
    with st.expander("More settings"):
        for control in controls.visible(loss, layers, expert=True):
            _draw(control)


def _base_model() -> str:
    key = state.get(state.CONFIG["base_model"])
    return key if key in registry.available() else state.CONFIG["base_model"].default


def _loss() -> str:
    key = state.get(state.CONFIG["loss"])
    return key if key in LOSSES else state.CONFIG["loss"].default


def _draw(control: Control) -> None:
    """The widget for a row of the control table."""
    key, label = state.CONFIG[control.field], control.label
    more: dict[str, Any] = {"help": control.help}
    if control.kind == "choice":
        titles = TITLES.get(control.field, dict)()
        options = {value: titles.get(value, value) for value in controls.choices(control)}
        if control.field == "base_model":
            more["on_change"] = _model_changed
        widgets.selectbox(key, label, options, **more)
    elif control.kind == "switch":
        widgets.toggle(key, label, **more)
    elif control.scale == "log":
        values = sorted({*_log_values(control), state.get(key)})  # a link or a set may name one between
        widgets.select_slider(key, label, values, **more)
    elif control.field == "seed":
        widgets.number_input(key, label, **more)
    elif control.field == "trained_layers":  # a number beyond a model's layers means all of them
        widgets.slider(key, label, high=_layers(), **more)
    else:
        shown = "%d" if control.kind == "integer" else control.format
        widgets.slider(key, label, step=control.interval, format=shown, **more)


def _layers() -> int:
    """How many layers the chosen base model has; what it is cannot be looked up offline counts as six."""
    try:
        return registry.layer_count(_base_model())
    except InputError:
        return 6


def _log_values(control: Control) -> list[float]:
    """1, 2, 5, 10, ... within the bounds, and the default."""
    low, high = control.least, control.most
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = {round(digit * 10.0**power, 12) for power in decades for digit in (1, 2, 5)}
    return sorted({v for v in values if low <= v <= high} | {control.default})


def _model_titles() -> dict[str, str]:
    return {key: row.title for key, row in registry.available().items()}


def _loss_titles() -> dict[str, str]:
    return {key: loss.title for key, loss in LOSSES.items()}


def _pooling_titles() -> dict[str, str]:
    return {OWN_POOLING: controls.own_pooling_title(_base_model())}


TITLES = {"base_model": _model_titles, "loss": _loss_titles, "pooling": _pooling_titles}
