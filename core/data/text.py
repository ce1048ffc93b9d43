"""The smallest rules about typed text: ids, what is cleaned, the | separator, the limits.

Apart from core/data/sentences.py because sentences and pairs are read by the same rules.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from array import array
from collections import Counter

import numpy as np

from ..types import NAMED_LINES, InputError, Notice

MAX_SENTENCES = 2_000
MAX_CHARACTERS = 1_000  # of one sentence, in Unicode code points
MAX_GROUP_CHARACTERS = 60  # longer than that is hardly a name
MAX_PAIRS = 5_000
MAX_LINES = 20_000  # of a typed text or a table: what is skipped takes time too
BLANK = "Blank lines were skipped."
MAX_SHOWN = 80  # characters of a cell or a name that a message quotes

_LINE_BREAKS = re.compile("[\t\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]+")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff]+")
_SEPARATOR = re.compile(r"(?<!\\)(\\*+)\|")  # tried once a run of backslashes, or a long run takes its square
_FORMULA = re.compile("'*(?:[\t\r\n]|\\s*[=+\\-@＝＋－＠])")
_BYTE_ORDER_MARK = "\ufeff"


def same_text(text: str) -> str:
    """The form in which two texts are compared: Unicode NFC, so that é typed in two ways is one text."""
    return unicodedata.normalize("NFC", text)


def same_tokens(text: str) -> str:
    """The form in which two sentences are one to the model: lower-cased, without accents, without characters
    that are not seen, white space folded, as BERT's uncased tokenizer reads (Devlin et al. 2019).

    >>> same_tokens(" Café\u200b  au LAIT ")
    'cafe au lait'
    """
    kept = (c for c in text if c in "\t\n\r" or unicodedata.category(c) not in ("Cc", "Cf"))
    plain = unicodedata.normalize("NFD", "".join(kept))
    # One character at a time: a tokenizer knows no final sigma.
    return " ".join("".join(c.lower() for c in plain if unicodedata.category(c) != "Mn").split())


def sentence_id(text: str, occurrence: int = 0) -> str:
    """First 10 hex digits of the SHA-1 of the NFC text; the second occurrence of a text ends in "-2"."""
    digest = hashlib.sha1(same_text(text).encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
    return digest[:10] if occurrence == 0 else f"{digest[:10]}-{occurrence + 1}"


def shown(text: str) -> str:
    """What a message quotes of a text that may be of any length: one line, cut after MAX_SHOWN characters.

    >>> shown("word " * 30)[-6:]
    ' word…'
    """
    line = clean(text[: 4 * MAX_SHOWN])
    return line if len(line) <= MAX_SHOWN else line[: MAX_SHOWN - 1].rstrip() + "…"


def lines_of(text: str) -> list[str]:
    """Lines as the text area numbers them; a line end after the last one begins no further line.

    Raises InputError when there are more than MAX_LINES, before any of them is looked at.
    """
    if (ends := text.count("\n") + text.count("\r")) > 2 * MAX_LINES:
        raise InputError(
            f"There are about {ends:,} lines; at most {MAX_LINES:,} are read. Use a part of the text."
        )
    lines = text.removeprefix(_BYTE_ORDER_MARK).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    if len(lines) > MAX_LINES:
        raise InputError(
            f"There are {len(lines):,} lines; at most {MAX_LINES:,} are read. Use a part of the text."
        )
    return lines


def clean(text: str) -> str:
    """The text without control characters, with line breaks and tabs as single spaces, ends stripped."""
    return spaced(without_controls(text)).strip()


def without_controls(text: str) -> str:
    """Drops what no model reads and no screen shows: controls (but breaks and tabs), surrogates, U+FEFF."""
    return _CONTROLS.sub("", text)


def spaced(text: str) -> str:
    return _LINE_BREAKS.sub(" ", text)


def is_blank(text: str) -> bool:
    """True when nothing of the text is visible: only white space, controls and format characters."""
    return all(c.isspace() or unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in text)


def check_length(line: int, text: str) -> None:
    """Raises InputError when a sentence is longer than MAX_CHARACTERS."""
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f"Line {line:,}: the sentence has {len(text):,} characters; at most {MAX_CHARACTERS:,} are "
            "allowed. Shorten it or split it."
        )


def isolated(text: str) -> str:
    """The text for a place that runs from left to right: a line with letters that are written from right to
    left gets Unicode's marks of isolation (UAX 9), so that it is laid out in its own direction, its full stop
    on the left. All other text stays as it is."""
    if text.isascii() or not any(unicodedata.bidirectional(c) in ("R", "AL") for c in text):
        return text
    return "\n".join(f"\u2068{line}\u2069" if line.strip() else line for line in text.split("\n"))


def split_bars(line: str) -> list[str]:
    r"""Split at every | that no backslash escapes, and take the escapes away.

    Backslashes count only right before a |: of 2k+1 of them k stay and the | is text, of 2k k stay and
    the | separates. (Windows reads quotes in command lines by the same rule; it can write any text.)
    """
    parts, part, end = [], "", 0
    for match in _SEPARATOR.finditer(line):
        slashes = len(match[1])
        part += line[end : match.start()] + "\\" * (slashes // 2)
        if slashes % 2:
            part += "|"
        else:
            parts.append(part)
            part = ""
        end = match.end()
    return [*parts, part + line[end:]]


def escape_bars(text: str) -> str:
    r"""The inverse of split_bars for one part: every | becomes \| and backslashes before it double."""
    return _SEPARATOR.sub(lambda match: match[1] * 2 + r"\|", text)


def plural(count: int, one: str, many: str = "") -> str:
    """The word as it stands after this count: a noun, or a verb with both its forms.

    >>> [plural(n, "pair") + " " + plural(n, "has", "have") for n in (1, 2)]
    ['pair has', 'pairs have']
    """
    return one if count == 1 else many or f"{one}s"


class Told:
    """Gathers what a reader has to tell: how often, and where at first."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lines: dict[str, list[int]] = {}
        self._last: dict[str, int] = {}

    def tell(self, what: str, line: int) -> None:
        """`what` is a sentence; the same about the same line counts once."""
        if self._last.get(what) != line:
            self._last[what] = line
            self._counts[what] += 1
            lines = self._lines.setdefault(what, [])
            if len(lines) < NAMED_LINES:
                lines.append(line)

    @property
    def notices(self) -> tuple[Notice, ...]:
        return tuple(Notice(what, tuple(self._lines[what]), n) for what, n in self._counts.items())


def repeats_among(hashes: array[int]) -> int:
    """How many stand there before. Takes next to no memory: the hashes are sorted where they are."""
    found = np.frombuffer(hashes, np.int64) if hashes else np.zeros(0, np.int64)
    found.sort()
    return int((found[1:] == found[:-1]).sum())


def safe_cell(text: str) -> str:
    """The text for a cell of an exported CSV: an apostrophe before what a spreadsheet would calculate.

    Covers = + - @ at the beginning (also full-width, also after white space), tab and line break; see
    OWASP, "CSV Injection". One more before apostrophes that such a beginning follows, so that unsafe_cell
    gives back every text.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unsafe_cell(cell: str) -> str:
    """The inverse of safe_cell.

    >>> [unsafe_cell(safe_cell(text)) for text in ("=1", "'=1", "'tis")]
    ['=1', "'=1", "'tis"]
    """
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
