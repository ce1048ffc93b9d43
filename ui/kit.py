"""What every concept page shares: its opening, the side panel with its cards, own text.

A page reads: kit.opening(...), main, side = kit.columns(PATH), predict (ui/predictions/gate.py), try,
observe, explain; or, where it has several views, kit.page_of_views(...).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar, TypeVarTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.models import embedding
from core.types import FloatArray, InputError, TrainingConfig
from ui import messages, pages, resources, state, widgets
from ui.predictions.gate import UnansweredError

R = TypeVar("R")
Ts = TypeVarTuple("Ts")

DEFAULT = TrainingConfig().base_model
READING_WIDTH = 760  # pixels; a line longer than this is hard to follow
# Streamlit puts columns below each other in a window of less than 640 pixels; a column of cards breaks words
# long before that, with the sidebar open in a window of about 1,000.
_CARDS_BELOW = """
const ROOM = 780; // pixels of both columns, below which the second one goes under the first

export default function ({ parentElement }) {
  const own = parentElement.getRootNode().host ?? parentElement;
  const row = own.closest("[data-testid=stHorizontalBlock]");
  if (!row) return;
  const place = () => {
    const below = row.clientWidth < ROOM;
    row.style.flexDirection = below ? "column" : "";
    const size = below ? { width: "100%", flex: "none" } : { width: "", flex: "" };
    for (const column of row.children) Object.assign(column.style, size);
  };
  const watch = new ResizeObserver(place);
  watch.observe(row);
  place();
  return () => {
    watch.disconnect();
    row.style.flexDirection = "";
    for (const column of row.children) Object.assign(column.style, { width: "", flex: "" });
  };
}
"""


def opening(path: str, lead: str) -> None:
    """The page's title from the table of pages, and one or two sentences of what it is about."""
    page = next(p for p in pages.PAGES if p.url_path == path)
    st.title(page.title, anchor=False)
    with st.container(width=READING_WIDTH):
        st.markdown(lead)


def side_by_side() -> tuple[DeltaGenerator, DeltaGenerator]:
    """The main column, and the side column for cards: below it where the window is narrow."""
    main, side = st.columns([0.74, 0.26], gap="large")
    with side, st.container(gap=None):
        _cards_below()(key="cards_below")
        return main, st.container()


@cache
def _cards_below() -> Any:
    return st.components.v2.component("embedding-lab.cards-below", js=_CARDS_BELOW)


def columns(path: str) -> tuple[DeltaGenerator, DeltaGenerator]:
    """The main column, and the side column with the flashcards of this page already in it."""
    main, side = side_by_side()
    with side:
        from ui.cards import side_panel

        side_panel.of_page(path)
    return main, side


def page_of_views(
    path: str,
    lead: str,
    key: state.Key[str],
    views: Mapping[str, Callable[[], None]],
    label: str = "What to look at",
) -> None:
    """A whole page: its opening, its cards, and the one of its views that is chosen."""
    opening(path, lead)
    main, _ = columns(path)
    with main:
        chosen = widgets.view(key, label, views)
        with sentences_not_tracebacks():
            views[chosen]()


@contextmanager
def sentences_not_tracebacks() -> Iterator[None]:
    """What goes wrong inside becomes one sentence on the page; what was typed stays as it is. An unanswered
    prediction ends it: what would answer it is not drawn."""
    try:
        yield
    except UnansweredError:
        return
    except InputError as error:
        messages.warning(str(error))
    except TimeoutError:
        st.warning(messages.TOO_SLOW, icon=":material/hourglass:")
    except RuntimeError as error:
        messages.error(str(error))


def ask(function: Callable[[*Ts], R], *args: *Ts, busy: str = "Computing", lane: str = "encode") -> R:
    """What `function(*args)`, a function of core, returns in a worker: with a quiet spinner while it is not
    remembered already. Raises what it raised: InputError for bad input."""
    future = resources.later(function, *args, lane=lane)
    if future.done():
        return future.result()
    with st.spinner(busy):
        return future.result(timeout=resources.PATIENCE)


def embedded(
    base_model: str,
    seed: int,
    pooling: str,
    texts: Sequence[str],
    normalize: bool = True,
    *,
    busy: str = "Embedding",
) -> FloatArray:
    """Embeddings (n, d) of the texts by an untrained base model; what of them it does not read is said."""
    of = tuple(texts)
    z = ask(embedding.embed, base_model, seed, pooling, of, normalize, busy=busy)
    tell_unread(of, base_model, seed)
    return z


def tell_unread(texts: Sequence[str], base_model: str = DEFAULT, seed: int = 0, where: str = "") -> None:
    """What of the texts a base model does not read, for what is embedded in other ways than `embedded`."""
    found = ask(embedding.unread, base_model, seed, tuple(texts), busy="Reading the texts")
    messages.notices(found, where)


def keep_link(*texts: state.Key[str]) -> None:
    """Let the page's link carry these texts too, and say so when it cannot."""
    if not state.write_link(*texts):
        st.caption(widgets.TOO_LONG)
