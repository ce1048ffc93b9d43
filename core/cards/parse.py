"""Decks as text: read, and written so that reading again gives the same deck.

The grammar stands in assets/decks/README.md. Every refusal names its line; no text is dropped
silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import dropwhile, islice

from ..types import InputError
from .types import Card, Deck, card_id, with_unique_ids

MAX_DECK_CHARACTERS = 2_000_000  # a deck of 5,000 long cards; more is a mistake or an attack
MAX_CARDS = 5_000

FIELDS = ("id", "source", "wrong", "live", "choice")  # lines after the answer, ours; all optional

_FENCE = re.compile(r"\s*(```|~~~)")
_HEADING = re.compile(r"####(?:\s|$)")
_RULE = re.compile(r"---\s*$")
_QUESTION = re.compile(r":p(?:\s|$)")
_OPEN = re.compile(r"\?\?x(?:\s|$)")
_CLOSE = re.compile(r"x\?\?\s*$")
_CLOSE_SAME_LINE = re.compile(r"(?:^|\s)x\?\?\s*$")
_FIELD = re.compile(rf":({'|'.join(FIELDS)})(?:\s+(.*))?$")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
# A line that would be read as structure. Text that looks like it is written with a backslash in front.
_MARKER = re.compile("|".join(r.pattern for r in (_HEADING, _RULE, _QUESTION, _OPEN, _CLOSE, _FIELD)))
_ESCAPED = re.compile(rf"\\+(?:{_MARKER.pattern})")


@dataclass
class _Lines:
    """The lines of a deck with a reading position; `number` is that of the line just read, from 1."""

    lines: list[str]
    at: int = 0

    @property
    def number(self) -> int:
        return self.at

    def peek(self) -> str | None:
        return self.lines[self.at] if self.at < len(self.lines) else None

    def take(self) -> str:
        self.at += 1
        return self.lines[self.at - 1]


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
    if len(text) > MAX_DECK_CHARACTERS:
        raise InputError(
            f"The deck has {len(text):,} characters; at most {MAX_DECK_CHARACTERS:,} can be read."
        )
    clean = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\ufffd")
    lines = _Lines(clean.split("\n"))
    title, preamble = _read_preamble(lines)
    drafts = list(islice(_read_cards(lines), MAX_CARDS + 1))
    _refuse_repeated_ids(drafts)
    cards = [draft.card() for draft in drafts]
    if not cards:
        raise InputError("The deck has no card. A card starts with a line '#### title'.")
    if len(cards) > MAX_CARDS:
        raise InputError(f"The deck has more than {MAX_CARDS:,} cards, the most that can be read.")
    return Deck(key=key, title=title or key, cards=with_unique_ids(cards), preamble=preamble)


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
    blocks += [f":p {_escape(card.question)}", f"??x\n{_escape(card.answer)}\nx??"]
    if card.id != card_id(card.title, card.question):
        blocks.append(f":id {card.id}")
    for name in ("source", "wrong", "live"):
        if value := getattr(card, name):
            blocks.append(f":{name} {_escape(value)}")
    blocks += [f":choice {_escape(choice)}" for choice in card.choices]
    return "\n".join(blocks) + "\n"


def _escape(text: str) -> str:
    return "\n".join(
        "\\" + line if _MARKER.match(line) or _ESCAPED.match(line) else line for line in text.split("\n")
    )


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
    while (line := lines.peek()) is not None and not _HEADING.match(line):
        if _QUESTION.match(line) or _OPEN.match(line):
            raise InputError(
                f"Line {lines.at + 1}: a card starts with a line '#### title' before {line[:3].strip()!r}."
            )
        taken.append(lines.take())
    taken = _from_first_text(taken)
    title = taken.pop(0)[2:].strip() if taken and taken[0].startswith("# ") else ""
    while taken and (not taken[-1].strip() or _RULE.match(taken[-1])):
        taken.pop()
    return title, _text(taken)


def _read_cards(lines: _Lines) -> Iterator[_Draft]:
    title = background = ""
    while (line := lines.peek()) is not None:
        if not line.strip() or _RULE.match(line):
            lines.take()
        elif _HEADING.match(line):
            title = lines.take()[4:].strip()
            heading = lines.number
            background = _read_until_question(lines, title, heading)
            yield _read_card(lines, title, background)
        elif _QUESTION.match(line):  # a second question under the same title
            yield _read_card(lines, title, background)
        else:
            raise InputError(
                f"Line {lines.at + 1}: {_shown(line)} belongs to no card. "
                "After the answer come ':source', ':wrong', ':live', ':choice' or ':id' lines, then '---'."
            )


def _read_until_question(lines: _Lines, title: str, heading: int) -> str:
    taken: list[str] = []
    fenced = False
    while (line := lines.peek()) is not None:
        if _FENCE.match(line):
            fenced = not fenced
        if _QUESTION.match(line):
            return _text(taken)
        if not fenced and (_HEADING.match(line) or _RULE.match(line) or _OPEN.match(line)):
            break
        taken.append(lines.take())
    raise InputError(f"Line {heading}: the card {_shown(title)} has no question. It starts with ':p '.")


def _read_card(lines: _Lines, title: str, background: str) -> _Draft:
    question = _read_question(lines)
    answer = _read_answer(lines)
    draft = _Draft(title, background, question, answer)
    _read_fields(lines, draft)
    return draft


def _read_question(lines: _Lines) -> str:
    taken = [lines.take()[2:].lstrip()]
    start = lines.number
    fenced = False
    while (line := lines.peek()) is not None:
        if _FENCE.match(line):
            fenced = not fenced
        if _OPEN.match(line):
            question = _text(taken).strip()
            if not question:
                raise InputError(f"Line {start}: the question after ':p' is empty.")
            return question
        if not fenced and (_HEADING.match(line) or _RULE.match(line) or _QUESTION.match(line)):
            break
        taken.append(lines.take())
    raise InputError(f"Line {start}: the question has no answer. The answer starts with a line '??x'.")


def _read_answer(lines: _Lines) -> str:
    """The text between '??x' and 'x??'; both on one line is allowed too."""
    first = lines.take()[3:]
    start = lines.number
    same_line = _CLOSE_SAME_LINE.search(first)
    taken = [first[: same_line.start()].strip() if same_line else first.strip()]
    if same_line is None:
        fenced = False
        while True:
            line = lines.peek()
            cut = line is None or (not fenced and (_HEADING.match(line) or _QUESTION.match(line)))
            if line is None or cut:
                raise InputError(
                    f"Line {start}: the answer opened here is not closed with a line 'x??' before "
                    + ("the end of the deck." if line is None else f"the next card on line {lines.at + 1}.")
                )
            lines.take()
            if _CLOSE.match(line):
                break
            if _FENCE.match(line):
                fenced = not fenced
            taken.append(line)
    answer = _text(taken)
    if not answer:
        raise InputError(f"Line {start}: the answer is empty.")
    return answer


def _read_fields(lines: _Lines, draft: _Draft) -> None:
    """The ':name value' lines after an answer; a value goes on until the next marker."""
    while (line := lines.peek()) is not None:
        match = _FIELD.match(line)
        if match is None:
            if line.strip():
                return
            lines.take()
            continue
        lines.take()
        number, name = lines.number, match[1]
        taken = [(match[2] or "").lstrip()]
        while (following := lines.peek()) is not None and not _MARKER.match(following):
            taken.append(lines.take())
        _set_field(draft, name, _text(taken), number)


def _set_field(draft: _Draft, name: str, value: str, number: int) -> None:
    if not value:
        raise InputError(f"Line {number}: ':{name}' has no text.")
    if name != "wrong" and "\n" in value:
        raise InputError(f"Line {number + 1}: the text after ':{name}' must stand on one line.")
    if name == "choice":
        draft.choices.append(value)
        return
    if name in draft.fields:
        raise InputError(f"Line {number}: this card has ':{name}' twice.")
    if name == "id" and not _ID.match(value):
        raise InputError(
            f"Line {number}: the id {_shown(value)} may hold at most 64 letters, digits, '.', '_' and '-'."
        )
    if name == "id":
        draft.id_line = number
    draft.fields[name] = value


def _refuse_repeated_ids(drafts: list[_Draft]) -> None:
    first: dict[str, int] = {}
    for draft in drafts:
        if identifier := draft.fields.get("id"):
            if identifier in first:
                raise InputError(
                    f"Line {draft.id_line}: the id {identifier!r} is already that of the card on line "
                    f"{first[identifier]}. Each ':id' may stand once in a deck."
                )
            first[identifier] = draft.id_line


def _shown(text: str) -> str:
    """A short quotation for an error message."""
    text = text.strip()
    return repr(text if len(text) <= 40 else text[:39] + "…")
