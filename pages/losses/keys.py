"""What Losses and forces remembers of a visit: name, default and bounds of each key (ui/keys.py)."""

from __future__ import annotations

from typing import Any

from core.concepts import sandbox
from ui.keys import Key

PRESET = Key("ls", "start", url=True)
LOSS = Key("ls_loss", "contrastive", url=True)
TOLD = Key("ls_told", "true", url=True)
NEGATIVES = Key("ls_negatives", True, url=True)
MARGIN = Key("ls_margin", 0.5, url=True, low=0.05, high=2.0)
TEMPERATURE = Key("ls_temperature", 0.1, url=True, low=0.01, high=1.0)
RATE = Key("ls_rate", 2.0, url=True)
POINTS = Key("ls_points", 12, url=True, low=sandbox.POINTS[0], high=sandbox.POINTS[1])
GROUPS = Key("ls_groups", 3, url=True, low=2, high=5)
SPACE = Key("ls_space", "circle", url=True)
SEED = Key("ls_seed", 7, url=True, low=0, high=10_000)
POSITIONS = Key("ls_places", "")  # where points were dragged to; packed into the link
SANDBOX = Key[Any]("ls_sandbox", None)  # pages/losses/sandbox.py's Sandbox
RUNNING = Key("ls_running", False)
GUESSES = {
    name: Key[str | None](f"ls_guess_{name}", None, url=True)
    for name in ("start", "collapse", "false", "margin")
}
