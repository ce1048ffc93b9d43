"""A training step, and the embedding of texts, on the CPU and on the graphics card: do the numbers agree?

The numbers agree when no embedding differs by more than 1e-3 after the same steps.
"""

from __future__ import annotations

import copy
import statistics
import time
from typing import Any

import numpy as np
import torch

from benchmarks.bench_training import timing_pairs
from core.data import sentence_sets
from core.models import device, registry
from core.models.encoder import Encoder
from core.training.bi_trainer import BiEncoderTrainer
from core.types import TrainingConfig

STEPS, WARM = 20, 3
SETTINGS = {
    "live settings: a step": TrainingConfig(warmup=0.0),
    "all layers and word embeddings: a step": TrainingConfig(
        warmup=0.0, trained_layers=6, train_word_embeddings=True
    ),
}


def steps(encoder: Encoder, config: TrainingConfig) -> tuple[float, np.ndarray]:
    """Median milliseconds of a step, and the embeddings after all of them."""
    sentences, pairs = timing_pairs()
    trainer, times = BiEncoderTrainer(encoder, sentences, pairs, config), []
    for _ in range(STEPS):
        began = time.perf_counter()
        trainer.advance()  # reads the loss, so it waits for the card
        times.append(1e3 * (time.perf_counter() - began))
    return statistics.median(times[WARM:]), trainer.snapshot().embeddings


def embedding(encoder: Encoder, _: Any) -> tuple[float, np.ndarray]:
    """Milliseconds for the sentences of all built-in sets, and their embeddings."""
    texts = [text for known in sentence_sets.list_sets() for text in known.sentence_set.texts]
    encoder.encode(texts[:64])
    began = time.perf_counter()
    z = encoder.encode(texts)
    return 1e3 * (time.perf_counter() - began), z


def main() -> None:
    card = device.chosen()
    places = [torch.device("cpu")] + ([card] if card.type != "cpu" else [])
    if len(places) == 1:
        print("PyTorch finds no graphics card here (or EMBEDDING_LAB_DEVICE=cpu): the CPU's numbers only.")
    base = registry.load("minilm-l6")
    rows: dict[str, Any] = {name: (steps, config) for name, config in SETTINGS.items()}
    rows["all built-in sentences embedded"] = (embedding, None)
    print(f"\n{'ms':42}" + "".join(f"{place!s:>10}" for place in places) + f"{'largest difference':>22}")
    for name, (measure, config) in rows.items():
        found = [measure(copy.deepcopy(base).to(place), config) for place in places]
        gap = f"{np.abs(found[0][1] - found[-1][1]).max():22.1e}" if len(found) > 1 else f"{'-':>22}"
        print(f"{name:42}" + "".join(f"{ms:10.1f}" for ms, _ in found) + gap)
    print("\ngoal: no embedding differs by more than 1e-3")


if __name__ == "__main__":
    main()
