"""The decks that come with the app: each card is complete, its link works, and options give nothing away."""

from __future__ import annotations

import ast
import importlib
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from core.cards.built_in import DECKS, all_cards, cards_for_page, live_target, load_decks
from core.cards.parse import parse, write
from core.cards.quiz import multiple_choice, short_answer
from core.cards.types import Card
from core.concepts.classification import METHODS
from core.concepts.failure_modes import FAILURE_MODES
from core.concepts.sandbox import LOSS_KEYS
from core.concepts.sandbox.presets import PRESETS
from core.losses import LOSSES
from core.training.controls import check
from core.types import InputError, TrainingConfig
from ui import keys, pages

PAGES = {
    "train",
    "bi-vs-cross",
    "search",
    "study",
    "text-to-vector",
    "similarity",
    "high-dimensions",
    "losses",
    "contrast",
    "classification",
    "word2vec",
    "sbert",
    "gone-wrong",
    "glossary",
    "compare",
}
SETS = {path.stem for path in (DECKS.parent / "sets").glob("*.toml")}
CARDS = all_cards()
TRAINED = [card for card in CARDS if card.live.startswith("train?")]
SET_UP = [card for card in CARDS if "?" in card.live and card not in TRAINED]
VIEW_KEYS = {"ttv", "sim", "hd", "con", "bvc", "sb", "w2v", "cls", "search"}
CHOICES = {
    "gw": set(FAILURE_MODES),
    "ls": set(PRESETS),
    "ls_loss": set(LOSS_KEYS),
    "cls_method": set(METHODS),
    "hd_set": SETS | {"noise"},
}


def views_of(page: str) -> set[str]:
    """The names of a page's views, as its file lists them: a dict of names, or functions named like them."""
    path = next(row.path for row in pages.PAGES if row.url_path == page)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = (n for n in tree.body if isinstance(n, ast.Assign | ast.AnnAssign))
    listed = next(n.value for n in named if ast.unparse(n).startswith(("VIEWS = ", "VIEWS: ")))
    if isinstance(listed, ast.Dict):
        return {str(ast.literal_eval(name)) for name in listed.keys if name is not None}
    return {n.name.capitalize() for n in tree.body if isinstance(n, ast.FunctionDef)}


def keys_of(page: str) -> list[keys.Key[Any]]:
    """The keys that all pages share and the page's own."""
    folder = next(row.folder for row in pages.PAGES if row.url_path == page)
    own = importlib.import_module(f"pages.{folder}.keys")
    return [key for module in (keys, own) for key in vars(module).values() if isinstance(key, keys.Key)]


def test_there_are_enough_of_each() -> None:
    decks = load_decks()
    assert len(CARDS) >= 120
    assert len(decks) >= 23 and all(len(deck) >= 5 for deck in decks)
    assert all(deck.preamble for deck in decks)


def test_ids_are_given_and_unique_over_all_decks() -> None:
    """A given id stays when the wording changes; one made from the question would not."""
    ids = [card.id for card in CARDS]
    assert len(set(ids)) == len(ids)
    assert not [i for i in ids if re.fullmatch(r"[0-9a-f]{12}(-\d+)?", i)]


@pytest.mark.parametrize(
    "path", sorted(p for p in DECKS.glob("*.md") if p.stem != "README"), ids=lambda p: p.stem
)
def test_each_file_is_as_the_app_would_write_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert write(parse(text, path.stem)) == text


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_each_card_is_complete(card: Card) -> None:
    for text in (card.title, card.question, card.answer, card.source, card.wrong, card.live, *card.choices):
        assert text.strip()
    assert 2 <= len(card.choices) <= 3
    right = short_answer(card)
    for option in (right, *card.choices):
        assert option.endswith((".", "?")) and len(option) <= 110, option
        assert "!" not in option
    assert right not in card.choices and len(set(card.choices)) == len(card.choices)
    quiz = multiple_choice(card, CARDS, 0)
    assert quiz is not None and len(quiz.options) == 4
    page, parameters = live_target(card)
    assert page in PAGES
    assert bool(parameters) == ("?" in card.live)


@pytest.mark.parametrize("card", TRAINED, ids=lambda card: card.id)
def test_each_experiment_can_be_set_up(card: Card) -> None:
    _, parameters = live_target(card)
    chosen = parameters.pop("set", None)
    assert chosen is None or chosen in SETS
    defaults = {field.name: getattr(TrainingConfig(), field.name) for field in fields(TrainingConfig)}
    values = {name: type(defaults[name])(value) for name, value in parameters.items()}
    check(TrainingConfig(**values))
    if "loss" in values:
        assert values["loss"] in LOSSES
    loss = LOSSES[values.get("loss", TrainingConfig().loss)]
    for name in ("margin", "temperature", "concatenation"):
        assert name not in values or name in loss.uses, f"{loss.key} does not read {name}"


@pytest.mark.parametrize("card", SET_UP, ids=lambda card: card.id)
def test_each_page_is_opened_at_the_experiment(card: Card) -> None:
    page, parameters = live_target(card)
    known = {key.name: key for key in keys_of(page) if key.url}
    for name, value in parameters.items():
        key = known[name]
        if name in VIEW_KEYS:
            assert value in views_of(page)
        elif name in CHOICES:
            assert value in CHOICES[name]
        elif not isinstance(key.default, str):
            assert str(type(key.default)(value)) == value, "the page writes this number another way"


def test_the_longest_option_is_no_clue() -> None:
    """With four options the right one is the longest by chance in a quarter of the cards."""
    longest = [len(short_answer(c)) > max(len(choice) for choice in c.choices) for c in CARDS]
    assert sum(longest) / len(CARDS) < 0.35


def test_pages_have_cards_of_their_own() -> None:
    for page in PAGES - {"study", "glossary"}:
        chosen = cards_for_page(page, limit=2)
        assert len(chosen) == 2 and {card.page for card in chosen} == {page}
    assert cards_for_page("train", seed=1) == cards_for_page("train", seed=1)
    assert {cards_for_page("train", seed=s) for s in range(5)} != {cards_for_page("train")}
    assert cards_for_page("nowhere") == ()


def test_a_broken_deck_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.md").write_text("#### T\n:p q\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"The deck bad.md cannot be read. Line 2"):
        load_decks(tmp_path)
