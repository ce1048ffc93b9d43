"""Where in a TOML text a field stands, which the standard parser does not tell once it has read the text.

Only headers and keys at the start of a line are looked at, which is how lessons are written.
"""

from __future__ import annotations

import re

Place = tuple[str | int, ...]

# No two neighbours in these patterns match the same blanks: time grows with a line's length, not its cube.
_ARRAY = re.compile(r"^\s*\[\[([\w.\-\s]+)\]\]")
_TABLE = re.compile(r"^\s*\[([\w.\-\s]+)\]")
_FIELD = re.compile(r"""^\s*["']?([\w\-]+)["']?(?:\s*\.\s*([\w\-]+))?\s*=""")


def lines_of_fields(text: str) -> dict[Place, int]:
    """("title",), ("step", 2), ("step", 2, "options", "rises"), ... -> line, counted from 1.

    The number after a name counts the [[name]] blocks, from 1.
    """
    found: dict[Place, int] = {}
    counts: dict[str, int] = {}
    prefix: Place = ()
    quote = ""  # the mark that ends the multi-line text we are in
    for number, line in enumerate(text.splitlines(), start=1):
        if not quote:
            if header := _ARRAY.match(line) or _TABLE.match(line):
                parts = [part.strip() for part in header[1].split(".")]
                if line.lstrip().startswith("[["):
                    counts[parts[0]] = counts.get(parts[0], 0) + 1
                head: Place = (parts[0], counts[parts[0]]) if parts[0] in counts else (parts[0],)
                prefix = (*head, *parts[1:])
                found.setdefault(prefix, number)
            elif named := _FIELD.match(line):
                path = (*prefix, *(part for part in named.groups() if part))
                found.setdefault(path, number)
        for mark in ('"""', "'''"):
            if quote in ("", mark) and line.count(mark) % 2:
                quote = "" if quote else mark
                break
    return found
