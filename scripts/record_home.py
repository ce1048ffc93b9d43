"""Record the run that Home replays: a built-in set, the packaged model, every step's place on the map.

    python scripts/record_home.py

Writes assets/recording/home.json (about 60 kB). Run it again when the set, the training or the layout
changes; a test compares the recording's sentences with the set. Takes about a minute.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.data import sentence_sets
from core.data.assets import ASSETS
from core.data.split import held_out_rows, make_split
from core.maps import layouts
from core.models import registry
from core.runs.messages import unseen
from core.training.bi_trainer import train
from core.types import Run, TrainingConfig

SET = "sentiment"
SHARE, PAIR_SEED = 0.25, 7  # as Train live opens
LAYOUT = "equilibrium"
FILE = ASSETS / "recording" / "home.json"


def main() -> None:
    chosen = sentence_sets.load_set(SET)
    sentences = chosen.sentence_set
    config = TrainingConfig().replace(**chosen.settings)
    split = make_split(sentences, chosen.pair_count, SHARE, PAIR_SEED, similar_share=chosen.similar_share)
    encoder = registry.load(config.base_model, config.seed)
    snapshots = tuple(train(encoder, sentences, split.train, config, split.held_out))
    run = Run("home", config, sentences, split.train, split.held_out, snapshots)
    steps = [snapshot.step for snapshot in snapshots]
    frames = layouts.layout_all(LAYOUT, [snapshot.embeddings for snapshot in snapshots], steps=steps)
    data = {
        "set": SET,
        "title": chosen.title,
        "model": registry.BASE_MODELS[config.base_model].description.split(",")[0],
        "settings": json.loads(config.to_json()),
        "layout": frames[-1].method,
        "pairs": len(split.train),
        "held_out": held_out_rows(sentences, split.held_out),
        "unseen": unseen(run),
        "steps": steps,
        "texts": sentences.texts,
        "groups": sentences.groups,
        "xy": np.round(np.stack([frame.xy for frame in frames]), 3).astype(float).tolist(),
    }
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{FILE}: {FILE.stat().st_size / 1000:.0f} kB, {data['unseen']}")


if __name__ == "__main__":
    main()
