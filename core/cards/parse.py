"""Decks as text: read, and written so that reading again gives the same deck.

The grammar stands in assets/decks/README.md. What does not fit it is named with its line; no text is dropped
silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import dropwhile, islice

from ..data.text import Told
from ..types import InputError, Notice
from .decks.fences import fences, opens
from .types import Card, Deck, card_id, with_unique_ids

MAX_DECK_CHARACTERS = 2_000_000  # a deck of 5,000 long cards; more is a mistake or an attack
MAX_CARDS = 5_000

FIELDS = ("id", "source", "wrong", "live", "choice")  # lines after the answer, ours; all optional
STRAY = "this belongs to no card and is left out; between cards stand only '---' and blank lines."
SECTION = "a heading between cards is no part of any card and is left out; a card's begins with '####'."
UNTITLED = "a card starts with a line '#### title' before ':p'; this one has no title."

_HEADING = re.compile(r"####(?:\s|$)")
_SECTION = re.compile(r"#{1,3}\s")
_RULE = re.compile(r"---\s*$")
_QUESTION = re.compile(r":p(?:\s|$)")
_OPEN = re.compile(r"\?\?x(?:\s|$)")
_CLOSE = re.compile(r":?x\?\?\s*$")
_CLOSE_SAME_LINE = re.compile(r"(?:^|\s):?x\?\?\s*$")
_FIELD = re.compile(rf":({'|'.join(FIELDS)})(?:\s+(.*))?$")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
# A line that would be read as structure. Text that looks like it is written with a backslash in front.
_MARKER = re.compile("|".join(r.pattern for r in (_HEADING, _RULE, _QUESTION, _OPEN, _CLOSE, _FIELD)))
_ESCAPED = re.compile(rf"\\+(?:{_MARKER.pattern}| {{0,3}}(?:```|~~~))")


class _Lines:
    """The lines of a deck with a reading position; `number` is that of the line just read, from 1.

    `noticed` are (line, what is wrong with it) of all that did not fit.
    """

    def __init__(self, lines: list[str]) -> None:
        self.lines, self.number = lines, 0
        self.noticed: list[tuple[int, str]] = []
        self._code = bytearray(len(lines))
        for fence in fences(lines, unclosed=False):
            self._code[fence.start : fence.end] = b"\1" * (fence.end - fence.start)

    @property
    def left(self) -> bool:
        return self.number < len(self.lines)

    def peek(self) -> str:
        return self.lines[self.number]

    def take(self) -> str:
        self.number += 1
        return self.lines[self.number - 1]

    def at(self, *markers: re.Pattern[str]) -> re.Match[str] | None:
        """The marker that the next line is, if it is one of these; within a code block none is."""
        if not self.left or self._code[self.number]:
            return None
        return next(filter(None, (marker.match(self.peek()) for marker in markers)), None)

    def notice(self, line: int, text: str) -> None:
        self.noticed.append((line, text))


@dataclass
class _Draft:
    """A card while it is read."""

    title: str
    background: str
    question: str
    answer: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: list[str] = field(default_factory=list)
    id_line: int = 0

    def card(self) -> Card:
        f = self.fields
        return Card(
            id=f.get("id") or card_id(self.title, self.question),
            title=self.title,
            question=self.question,
            answer=self.answer,
            background=self.background,
            source=f.get("source", ""),
            wrong=f.get("wrong", ""),
            live=f.get("live", ""),
            choices=tuple(self.choices),
        )


def parse(text: str, key: str = "deck") -> Deck:
    """Read a whole deck. Raises InputError with the line of the first thing that does not fit."""
    deck, notices = read(text, key)
    for notice in notices:
        raise InputError(f"Line {notice.lines[0]}: {notice.text}")
    return deck


def read(text: str, key: str = "deck") -> tuple[Deck, tuple[Notice, ...]]:
    """Read all that can be read of a deck; the notices name the lines of the rest, the first of them first.

    Raises InputError for a deck without a card, and for one too long to be meant.
    """
    if len(text) > MAX_DECK_CHARACTERS:
        raise InputError(
            f"The deck has {len(text):,} characters; at most {MAX_DECK_CHARACTERS:,} can be read."
        )
    clean = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\ufffd")
    lines = _Lines(clean.split("\n"))
    title, preamble = _read_preamble(lines)
    drafts = list(islice(_read_cards(lines), MAX_CARDS + 1))
    _mend_repeated_ids(lines, drafts)
    told = Told()
    for line, what in sorted(lines.noticed):
        told.tell(what, line)
    notices = told.notices
    if not drafts:
        why = f"Line {notices[0].lines[0]}: {notices[0].text}" if notices else "The deck has no card."
        raise InputError(f"{why} A card starts with a line '#### title'.")
    if len(drafts) > MAX_CARDS:
        raise InputError(f"The deck has more than {MAX_CARDS:,} cards, the most that can be read.")
    cards = with_unique_ids(draft.card() for draft in drafts)
    return Deck(key=key, title=title or key, cards=cards, preamble=preamble), notices


def write(deck: Deck) -> str:
    """The deck as text; parse(write(deck), deck.key) == deck for every deck that parse can give."""
    head = f"# {deck.title}\n"
    if deck.preamble:
        head += f"\n{_escape(deck.preamble)}\n"
    return "\n---\n\n".join([head, *(_write_card(card) for card in deck.cards)])


def _write_card(card: Card) -> str:
    blocks = [f"#### {card.title}".rstrip()]
    if card.background:
        blocks.append(_escape(card.background) + "\n")
    blocks += [_escape(card.question, ":p "), f"??x\n{_escape(card.answer)}\nx??"]
    if card.id != card_id(card.title, card.question):
        blocks.append(f":id {card.id}")
    for name in ("source", "wrong", "live"):
        if value := getattr(card, name):
            blocks.append(_escape(value, f":{name} "))
    blocks += [_escape(choice, ":choice ") for choice in card.choices]
    return "\n".join(blocks) + "\n"


def _escape(text: str, after: str = "") -> str:
    """Text that is read back as it is, behind a marker on its first line or on lines of its own. Marks of a
    code block that is not closed are escaped too, or it would go on into the next card."""
    lines = text.split("\n")
    written = [after + lines[0], *lines[1:]]
    closed = {i for fence in fences(written, unclosed=False) for i in range(fence.start, fence.end)}
    for i, line in enumerate(lines):
        loose = opens(written[i]) and i not in closed
        if loose or _MARKER.match(line) or _ESCAPED.match(line):
            lines[i] = "\\" + line
    return after + "\n".join(lines)


def _unescape(line: str) -> str:
    return line[1:] if _ESCAPED.match(line) else line


def _text(lines: list[str]) -> str:
    """Lines as text: escapes undone, blank lines at both ends and blanks at the very end gone."""
    kept = _from_first_text([_unescape(line) for line in lines])
    while kept and not kept[-1].strip():
        kept.pop()
    return "\n".join(kept).rstrip()


def _from_first_text(lines: list[str]) -> list[str]:
    return list(dropwhile(lambda line: not line.strip(), lines))


def _read_preamble(lines: _Lines) -> tuple[str, str]:
    """(title, text before the first card). The rule right before the first card is not part of it."""
    taken: list[str] = []
    while lines.left and not lines.at(_HEADING, _QUESTION, _OPEN):
        taken.append(lines.take())
    taken = _from_first_text(taken)
    title = taken.pop(0)[2:].strip() if taken and taken[0].startswith("# ") else ""
    return title, _text(_without_rule(taken))


def _without_rule(lines: list[str]) -> list[str]:
    """The lines without the rules and blank lines at their end."""
    while lines and (not lines[-1].strip() or _RULE.match(lines[-1])):
        lines = lines[:-1]
    return lines


def _read_cards(lines: _Lines) -> Iterator[_Draft]:
    title: str | None = None
    background = ""
    while lines.left:
        if not lines.peek().strip() or lines.at(_RULE):
            lines.take()
        elif lines.at(_HEADING):
            title, background = lines.take()[4:].strip(), ""
            start = lines.number
            taken = _until(lines, _QUESTION, _HEADING, _RULE, _OPEN)
            if lines.at(_QUESTION):
                background = _text(taken)
            else:
                lines.notice(start, f"the card {_shown(title)} has no question. It starts with ':p '.")
        elif lines.at(_QUESTION):  # also a second question under the same title
            if title is None:
                lines.notice(lines.number + 1, UNTITLED)
            draft = _read_card(lines, title or "", background)
            if draft is not None:
                yield draft
        else:
            lines.notice(lines.number + 1, SECTION if lines.at(_SECTION) else STRAY)
            lines.take()


def _until(lines: _Lines, *markers: re.Pattern[str]) -> list[str]:
    taken: list[str] = []
    while lines.left and not lines.at(*markers):
        taken.append(lines.take())
    return taken


def _read_card(lines: _Lines, title: str, background: str) -> _Draft | None:
    """The card whose question comes next; None where it has no question or no answer."""
    taken = [lines.take()[2:].lstrip()]
    start = lines.number
    question = _text(taken + _until(lines, _OPEN, _HEADING, _RULE, _QUESTION)).strip()
    if not lines.at(_OPEN):
        lines.notice(start, "the question has no answer. The answer starts with a line '??x'.")
        return None
    answer = _read_answer(lines)
    if not question:
        lines.notice(start, "the question after ':p' is empty.")
    draft = _Draft(title, background, question, answer)
    _read_fields(lines, draft)
    return draft if question and answer else None


def _read_answer(lines: _Lines) -> str:
    """The text between '??x' and 'x??'; both on one line is allowed too. An answer that is not closed ends
    before the next card."""
    first = lines.take()[3:]
    start = lines.number
    same_line = _CLOSE_SAME_LINE.search(first)
    if same_line is not None:
        answer = _text([first[: same_line.start()].strip()])
    else:
        taken = [first.strip(), *_until(lines, _CLOSE, _HEADING, _QUESTION)]
        if lines.at(_CLOSE):
            lines.take()
        else:
            where = f"the next card on line {lines.number + 1}" if lines.left else "the end of the deck"
            lines.notice(start, f"the answer opened here is not closed with a line 'x??' before {where}.")
            taken = _without_rule(taken)
        answer = _text(taken)
    if not answer:
        lines.notice(start, "the answer is empty.")
    return answer


def _read_fields(lines: _Lines, draft: _Draft) -> None:
    """The ':name value' lines after an answer; a value goes on until the next marker."""
    while lines.left:
        match = lines.at(_FIELD)
        if match is None:
            if lines.peek().strip():
                return
            lines.take()
            continue
        lines.take()
        number, name = lines.number, match[1]
        taken = [(match[2] or "").lstrip(), *_until(lines, _MARKER)]
        value = _text(taken).lstrip()
        if name != "wrong" and "\n" in value:
            lines.notice(number + 1, f"the text after ':{name}' must stand on one line; it is left out.")
        elif problem := _set_field(draft, name, value, number):
            lines.notice(number, problem)


def _set_field(draft: _Draft, name: str, value: str, number: int) -> str:
    """What is wrong with the field; it is left out then."""
    if not value:
        return f"':{name}' has no text."
    if name == "choice":
        draft.choices.append(value)
        return ""
    if name in draft.fields:
        return f"this card has ':{name}' twice; the first is kept."
    if name == "id":
        if not _ID.match(value):
            return f"the id {_shown(value)} may hold at most 64 letters, digits, '.', '_' and '-'."
        draft.id_line = number
    draft.fields[name] = value
    return ""


def _mend_repeated_ids(lines: _Lines, drafts: list[_Draft]) -> None:
    first: dict[str, int] = {}
    for draft in drafts:
        if identifier := draft.fields.get("id"):
            if identifier in first:
                lines.notice(
                    draft.id_line,
                    f"the id {identifier!r} is already that of the card on line {first[identifier]}; this "
                    "card gets another one.",
                )
            first.setdefault(identifier, draft.id_line)


def _shown(text: str) -> str:
    """A short quotation for a message."""
    text = text.strip()
    return repr(text if len(text) <= 40 else text[:39] + "…")
