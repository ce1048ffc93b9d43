"""Anki's own text export, and lists of term TAB definition: HTML becomes text, cloze question and answer.

The header lines are those of Anki's manual (Importing, Text Files); a list without them is read the same way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

from ...data.separated import rows_of
from ...data.text import MAX_LINES, Told
from ...types import InputError, Notice
from ..parse import MAX_CARDS
from ..types import Card, Deck, card_id, with_unique_ids

SEPARATORS = {"tab": "\t", "comma": ",", "semicolon": ";", "space": " ", "pipe": "|", "colon": ":"}
MOST_CLOZES = 50  # of one note
DEPTH = 8  # of clozes within clozes
SHARE = 0.5  # of the lines that have a tab, in a list of terms

_HEADER = re.compile(r"#(separator|html|columns|tags|notetype|deck|guid)( column)?:(.*)", re.IGNORECASE)
_CLOZE = re.compile(
    r"\{\{c(\d{1,3})::((?:(?!\{\{c\d|::|\}\}).)*)(?:::((?:(?!\{\{c\d|\}\}).)*))?\}\}", re.DOTALL
)
_SOUND = re.compile(r"\[sound:([^\]\n]{1,200})\]")
_TAG = re.compile(r"</?(?:b|i|u|em|strong|br|div|p|span|img|li|ul|ol|pre|code|font|sub|sup)\b[^<>]*>", re.I)
_BLOCK_NAMES = "p div ul ol table tr h1 h2 h3 h4 h5 h6 blockquote hr section article dl dt dd"
_INLINE_NAMES = (
    "a abbr anki-mathjax audio b big body center code del em font head html i ins kbd label mark q rp rt "
    "ruby s samp small span strike strong sub sup svg tbody td tfoot th thead tt u var video"
)
_BLOCKS, _INLINE = frozenset(_BLOCK_NAMES.split()), frozenset(_INLINE_NAMES.split())
_UNSEEN = frozenset(("script", "style", "title"))


def is_export(text: str) -> bool:
    """Whether the text begins with one of the header lines that Anki writes."""
    return _HEADER.match(text.removeprefix("\ufeff")) is not None


def is_list(text: str) -> bool:
    """Whether most lines are a term, a tab and a definition."""
    lines = [line for line in text.splitlines() if line.strip()]
    if any(line.startswith(("#### ", ":p ", "??x")) for line in lines):
        return False
    return bool(lines) and sum("\t" in line.strip() for line in lines) >= SHARE * len(lines)


@dataclass
class _Header:
    """What the header lines say. Columns count from 0."""

    separator: str = "\t"
    html: bool | None = None
    deck: str = ""
    special: dict[str, int] = field(default_factory=dict)


def read(text: str, title: str, key: str) -> tuple[Deck, tuple[Notice, ...]]:
    """All cards that can be read, and what was left out, by line. Raises InputError when there is none."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    asked, start = _header(lines)
    if asked.html is None:
        asked.html = any(_TAG.search(line) for line in lines[start:])
    told = Told()
    media: dict[str, int] = {}
    cards: list[Card] = []
    for number, row in enumerate(rows_of(lines[start:], asked.separator, start)):
        if number == MAX_LINES:
            raise InputError(f"{title} has more than {MAX_LINES:,} rows. Import a part of it.")
        if not "".join(row.cells).strip():
            continue
        line = row.line
        texts = [field_text(cell, media, line, asked.html) for cell in row.cells]
        where = {name: texts[at] for name, at in asked.special.items() if at < len(texts)}
        rest = [text for at, text in enumerate(texts) if at not in asked.special.values()]
        made = _cards(rest, where.get("deck", ""))
        if not made:
            told.tell("this row has no question or no answer and is left out.", line)
        cards += made
        if len(cards) > MAX_CARDS:  # a million rows take their time
            raise InputError(f"{title} has more than {MAX_CARDS:,} cards, the most that can be read.")
    if not cards:
        raise InputError(f"{title} holds no card. A card is a row with a question and an answer.")
    notices = [*told.notices]
    if media:
        notices.append(media_left_out(media))
    if "tags" in asked.special:
        notices.append(Notice("The column of tags is left out."))
    return Deck(key, asked.deck or title, with_unique_ids(cards)), tuple(notices)


def media_left_out(media: Mapping[str, int]) -> Notice:
    """Names of images and sounds, with the lines that they are in; 0 for none."""
    names = ", ".join(list(media)[:8]) + (f" and {len(media) - 8:,} more" if len(media) > 8 else "")
    lines = tuple(sorted({line for line in media.values() if line}))
    return Notice(f"{'i' if lines else 'I'}mages and sound are left out: {names}.", lines)


def field_text(cell: str, media: dict[str, int], line: int = 0, html: bool = True) -> str:
    """A field as text; names of images and sounds go into `media` with their line."""
    return _Text.of(cell, html, media, line)


def _header(lines: Sequence[str]) -> tuple[_Header, int]:
    asked = _Header()
    for at, line in enumerate(lines):
        match = _HEADER.match(line)
        if match is None:
            return asked, at
        name, value = match[1].casefold(), match[3].strip(" ")
        if match[2]:
            if value.isdecimal() and 0 < int(value[:4]) < 1000:
                asked.special[name] = int(value[:4]) - 1
        elif name == "separator":
            asked.separator = SEPARATORS.get(value.casefold(), match[3][:1] or "\t")
        elif name == "html":
            asked.html = value.casefold() == "true"
        elif name == "deck":
            asked.deck = " ".join(value.split())
    return asked, len(lines)


def _cards(texts: Sequence[str], title: str) -> list[Card]:
    """A note's cards: one for each number of a cloze, otherwise one of its first two fields. Further fields
    follow the answer."""
    if not texts:
        return []
    first, rest = texts[0], [text for text in texts[1:] if text]
    title = " ".join(title.split())
    numbers = sorted({int(found[1]) for found in _CLOZE.finditer(first)})[:MOST_CLOZES]
    sides = [cloze(first, number) for number in numbers] or [(first, [])]
    made = []
    for question, hidden in sides:
        answer = "\n\n".join([", ".join(hidden), *rest] if hidden else rest)
        if question and answer:
            made.append(Card(card_id(title, question), title, question, answer))
    return made


def cloze(text: str, number: int) -> tuple[str, list[str]]:
    """The text with this number's words hidden, and those words."""
    hidden: list[str] = []

    def shown(found: re.Match[str]) -> str:
        if int(found[1]) != number:
            return found[2]
        hidden.append(found[2].strip())
        return f"[{found[3] or '…'}]"

    for _ in range(DEPTH):  # the innermost first
        text, count = _CLOZE.subn(shown, text)
        if not count:
            break
    return text, list(filter(None, hidden))


class _Text(HTMLParser):
    """The text of an HTML field: lines where a browser breaks them, code between fences, no tags."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.images: list[str] = []
        self.unseen = self.code = 0

    @classmethod
    def of(cls, cell: str, html: bool, media: dict[str, int], line: int) -> str:
        text = cell
        if html:
            parser = cls()
            parser.feed(cell)
            parser.close()
            text = re.sub(r"[ \t]+\n", "\n", "".join(parser.parts).replace("\xa0", " "))
            for name in parser.images:
                media.setdefault(name, line)
        for name in _SOUND.findall(text):
            media.setdefault(name, line)
        return re.sub(r"\n{3,}", "\n\n", _SOUND.sub("", text)).replace("\x00", "\ufffd").strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self.unseen += 1
        elif tag == "br":
            self.parts.append("\n")
        elif tag == "pre":
            self.code += 1
            self.parts.append("\n```\n")
        elif tag == "li":
            self._line("- ")
        elif tag in _BLOCKS:
            self._line()
        elif tag in ("img", "source"):
            self.images.append((dict(attrs).get("src") or "an image")[:200])
        elif tag not in _INLINE:  # no tag of HTML: somebody's angle brackets
            self.parts.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self.unseen = max(0, self.unseen - 1)
        elif tag == "pre" and self.code:
            self.code -= 1
            self.parts.append("\n```\n")
        elif tag == "li" or tag in _BLOCKS:
            self._line()

    def handle_data(self, data: str) -> None:
        if not self.unseen:
            plain = data if self.code else re.sub(r"\s+", " ", data)
            begun = not self.code and self.parts and self.parts[-1].endswith("\n")
            self.parts.append(plain.lstrip() if begun else plain)

    def _line(self, mark: str = "") -> None:
        """A new line, unless one has just begun."""
        begun = not self.parts or self.parts[-1].endswith("\n")
        if mark or not begun:
            self.parts.append(mark if begun else f"\n{mark}")
