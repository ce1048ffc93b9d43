"""Where the files lie that come with the app: lessons, sentence sets, decks, weights, templates.

The folder stands beside core, in a checkout as in an installed package; nobody else looks for it.
"""

from __future__ import annotations

from pathlib import Path

ASSETS = Path(__file__).resolve().parents[2] / "assets"
