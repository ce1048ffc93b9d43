"""The decks that come with the app: every Markdown file in assets/decks is one, apart from the README.

Adding a deck is adding a file. A card belongs to the page that its live link opens.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qsl

from ..data.assets import ASSETS
from ..types import InputError
from .parse import parse
from .types import Card, Deck

DECKS = ASSETS / "decks"


@lru_cache(maxsize=4)
def load_decks(folder: Path = DECKS) -> tuple[Deck, ...]:
    """All decks of a folder by file name. Raises InputError naming the file that cannot be read."""
    decks = []
    for path in sorted(folder.glob("*.md")):
        if path.stem.casefold() == "readme":
            continue
        try:
            decks.append(parse(path.read_text(encoding="utf-8"), path.stem))
        except (InputError, UnicodeDecodeError) as error:
            raise InputError(f"The deck {path.name} cannot be read. {error}") from error
    return tuple(decks)


def all_cards(decks: Sequence[Deck] | None = None) -> tuple[Card, ...]:
    return tuple(card for deck in (load_decks() if decks is None else decks) for card in deck.cards)


def named(ids: Iterable[str]) -> tuple[Card, ...]:
    """The built-in cards with these ids, in this order; an id that no card has is passed over."""
    known = {card.id: card for card in all_cards()}
    return tuple(known[i] for i in ids if i in known)


def cards_for_page(
    page: str, limit: int = 3, seed: int = 0, decks: Sequence[Deck] | None = None
) -> tuple[Card, ...]:
    """Up to `limit` cards whose live link opens `page`, the same ones for the same seed."""
    fitting = [card for card in all_cards(decks) if card.page == page]
    chosen = random.Random(f"{page}:{seed}").sample(fitting, min(limit, len(fitting)))
    return tuple(sorted(chosen, key=fitting.index))


def live_target(card: Card) -> tuple[str, dict[str, str]]:
    """(page path, query parameters) of the card's live link; ("", {}) without one."""
    page, _, query = card.live.partition("?")
    return page, dict(parse_qsl(query, keep_blank_values=True))
