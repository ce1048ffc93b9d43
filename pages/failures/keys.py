"""What Fine-tuning gone wrong remembers of a visit: name, default and bounds of each key (ui/keys.py)."""

from __future__ import annotations

from typing import Any

from ui.keys import Key

WHAT = Key("gw", "collapse", url=True)
SOURCE = Key("gw_text_from", "Built-in sentences", url=True)
TEXT = Key("gw_text", "")  # the learner's own grouped sentences; packed into the link
SEED = Key("gw_seed", 7, url=True, low=0, high=10_000)
RUNS = Key[Any]("gw_runs", None)  # pages/failures/views.py's PairedRuns, one for each experiment
GUESSES = {
    name: Key[str | None](f"gw_guess_{name}", None, url=True)
    for name in ("collapse", "negatives", "rate", "forgetting", "overfitting")
}
