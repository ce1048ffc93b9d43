"""Training: a step, and what it learns, beside sentence-transformers' own trainer.

Both train the same model on the same pairs with the same loss (multiple negatives ranking), batch and
learning rate, in one process and one run. Timings are medians, taken in turns so that a busy machine
slows all alike. Threads: EMBEDDING_LAB_BENCH_THREADS, else what torch takes.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.neighbors import KNeighborsClassifier

from core.data import sentence_sets
from core.data.pairs import pairs_from_groups
from core.metrics.measures import measure
from core.models import registry
from core.training.bi_trainer import BiEncoderTrainer, train
from core.types import Pair, Sentence, SentenceSet, TrainingConfig

DATA = Path(os.environ.get("EMBEDDING_LAB_DATA") or Path(__file__).parents[2] / "shared" / "data")
BATCH = 16
STEPS_TIMED, STEPS_WARM = 12, 3
STEPS_LEARNED = 100
INTENTS, EACH = 10, 8  # banking77: how many intents, and training sentences of each

TOPICS = (
    "the train to the coast",
    "my order of green tea",
    "the museum in the old town",
    "our garden in spring",
)
MOODS = ("was late again and nobody said why", "is better than I had hoped for", "needs a little more time")


def timing_pairs() -> tuple[SentenceSet, tuple[Pair, ...]]:
    """16 pairs of 32 different sentences, about 11 tokens each."""
    texts = [f"{topic.capitalize()} {mood}" for topic in TOPICS for mood in MOODS]
    texts += [f"I think that {topic} {mood}" for topic in TOPICS for mood in MOODS]
    texts += [f"Nobody knows why {topic} {mood}" for topic in TOPICS for mood in MOODS[:2]]
    texts = texts[: 2 * BATCH]
    sentences = SentenceSet(tuple(Sentence(str(i), text) for i, text in enumerate(texts)))
    return sentences, tuple(Pair(str(i), str(i + BATCH), 1.0) for i in range(BATCH))


def own_steps(config: TrainingConfig, with_map: bool = False) -> Iterator[Any]:
    """A generator that does one training step each time it is asked."""
    sentences, pairs = timing_pairs()
    trainer = BiEncoderTrainer(registry.load(config.base_model), sentences, pairs, config)
    while True:
        trainer.advance()
        yield trainer.snapshot() if with_map else None


def theirs(
    sentences: SentenceSet,
    pairs: Sequence[Pair],
    steps: int,
    learning_rate: float,
    same_maths: bool,
    on_step: Callable[[], None] | None = None,
) -> Any:
    """sentence-transformers' trainer on the same pairs; returns the trained model.

    Its defaults: dropout 0.1, all weights, linear decay, gradients clipped at 1. With `same_maths`
    none of these but "all weights".
    """
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer
    from sentence_transformers import SentenceTransformerTrainingArguments as Arguments
    from sentence_transformers.losses import MultipleNegativesRankingLoss
    from transformers import PrinterCallback, TrainerCallback
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()

    class Report(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            if on_step is not None:
                on_step()

    text = dict(zip(sentences.ids, sentences.texts))
    rows = {"anchor": [text[p.left] for p in pairs], "positive": [text[p.right] for p in pairs]}
    model = SentenceTransformer(str(registry.packaged_folder()), device="cpu")
    settings: dict[str, Any] = {}
    if same_maths:
        settings = {"max_grad_norm": 0.0, "lr_scheduler_type": "constant"}
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        arguments = Arguments(
            output_dir=folder,
            max_steps=steps,
            per_device_train_batch_size=BATCH,
            learning_rate=learning_rate,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            use_cpu=True,
            logging_strategy="no",
            seed=7,
            dataloader_pin_memory=False,
            **settings,
        )
        loss = MultipleNegativesRankingLoss(model)
        trainer = SentenceTransformerTrainer(
            model=model,
            args=arguments,
            train_dataset=Dataset.from_dict(rows),
            loss=loss,
            callbacks=[Report()],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return model


def their_times(same_maths: bool) -> list[float]:
    """Seconds of each step of one run of their trainer, the first few left out."""
    marks: list[float] = []
    sentences, pairs = timing_pairs()
    steps = STEPS_TIMED + STEPS_WARM
    theirs(sentences, pairs, steps, 5e-5, same_maths, lambda: marks.append(time.perf_counter()))
    return list(np.diff(marks))[STEPS_WARM - 1 :]


def own_times(generator: Iterator[Any], steps: int = STEPS_TIMED) -> list[float]:
    times = []
    for _ in range(steps):
        began = time.perf_counter()
        next(generator)
        times.append(time.perf_counter() - began)
    return times


def matmul_peak() -> float:
    """Floating-point operations a second of one big matrix product with the same threads."""
    size = 1536
    a, b = torch.randn(size, size), torch.randn(size, size)
    best = min(_timed(lambda: torch.mm(a, b)) for _ in range(8))
    return float(2 * size**3 / best)


def _timed(action: Callable[[], Any]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def step_operations(config: TrainingConfig) -> float:
    """Operations in the matrix products of one step, two a multiply-add; attention's own are left out.

    A product costs once forward and twice backward; the lowest trained layer needs no gradient of its
    input, which the count ignores: it is query, key and value, a tenth of that layer.
    """
    encoder = registry.load(config.base_model)
    sentences, _ = timing_pairs()
    tokens = int(encoder.tokenize(sentences.texts).mask.sum())
    shape = encoder.shape
    weights = 4 * shape.dim**2 + 2 * shape.dim * shape.inner
    layers = min(config.trained_layers, shape.layers)
    return 3.0 * 2.0 * tokens * weights * layers


def speed() -> None:
    live = TrainingConfig(learning_rate=5e-5, warmup=0.0)
    everything = live.replace(trained_layers=6, train_word_embeddings=True)
    own = {
        f"own, live settings: {live.trained_layers} layers, the rest cached": own_steps(live),
        "own, live settings, with all sentences embedded and measured": own_steps(live, with_map=True),
        "own, all layers and word embeddings, same maths": own_steps(everything),
    }
    counted = dict(zip(own, (step_operations(live), None, step_operations(everything))))
    times: dict[str, list[float]] = {name: [] for name in own}
    defaults, same, peaks = [], [], [matmul_peak()]
    for generator in own.values():
        own_times(generator, STEPS_WARM)
    for _ in range(2):  # in turns
        defaults += their_times(same_maths=False)
        for name, generator in own.items():
            times[name] += own_times(generator)
        same += their_times(same_maths=True)
        peaks.append(matmul_peak())
    peak = max(peaks)
    base, base_same = statistics.median(defaults), statistics.median(same)
    print(f"One step, {BATCH} pairs; matrix product peak {peak / 1e9:.0f} GFLOP/s, {_threads()}\n")
    print(f"{'':66} {'ms':>6} {'x defaults':>11} {'x same maths':>13} {'of peak':>8}")
    rows = [("sentence-transformers, its defaults", base, None)]
    rows += [("sentence-transformers, no dropout, no clipping", base_same, None)]
    rows += [(name, statistics.median(values), counted[name]) for name, values in times.items()]
    for name, seconds, operations in rows:
        share = f"{operations / seconds / peak:8.0%}" if operations else f"{'':>8}"
        print(f"{name:66} {seconds * 1e3:6.0f} {base / seconds:11.1f} {base_same / seconds:13.1f} {share}")
    print("\ngoals: live settings at least 6 x defaults; all layers at least 1.5 x same maths")


def learning() -> None:
    """Held-out accuracy after the same number of steps on the same positive pairs of a built-in set."""
    known = sentence_sets.load_set("sentiment").sentence_set
    kept = [s for i, s in enumerate(known.sentences) if i % 4]  # every fourth sentence is held out
    held = [s for i, s in enumerate(known.sentences) if not i % 4]
    pairs = [p for p in pairs_from_groups(SentenceSet(tuple(kept)), 240, 7) if p.is_similar]
    held_out = pairs_from_groups(SentenceSet(tuple(held)), 200, 7)
    config = TrainingConfig(loss="mnrl", steps=STEPS_LEARNED, snapshot_every=STEPS_LEARNED)
    marks: list[float] = []
    model = theirs(
        known, pairs, STEPS_LEARNED, config.learning_rate, False, lambda: marks.append(time.perf_counter())
    )
    z = model.eval().encode(list(known.texts), normalize_embeddings=True)
    after = measure(z, known, held_out, pairs)
    first, *_, last = train(registry.load("minilm-l6"), known, pairs, config, held_out)
    print(f"\nSentiment set, {len(pairs)} positive pairs, {STEPS_LEARNED} steps, held-out sentences\n")
    print(f"{'':66} {'accuracy':>9} {'AUC':>6} {'seconds':>8}")
    for name, metrics, seconds in (
        ("before", first.metrics, None),
        (
            "sentence-transformers, its defaults",
            after,
            (marks[-1] - marks[0]) * STEPS_LEARNED / (STEPS_LEARNED - 1),
        ),
        ("own, live settings", last.metrics, last.seconds),
    ):
        accuracy, auc = metrics.held_out_accuracy, metrics.held_out_auc
        took = "" if seconds is None else f"{seconds:8.1f}"
        print(f"{name:66} {_share(accuracy):>9} {_share(auc):>6} {took}")


def banking() -> None:
    """k-NN accuracy on the test split of banking77, trained on a few sentences of a few intents."""
    folder = DATA / "banking77"
    if not (folder / "train.tsv").is_file():
        print(f"\nbanking77: skipped, {folder} is not there (set EMBEDDING_LAB_DATA)")
        return
    train_rows, test_rows = _read_tsv(folder / "train.tsv"), _read_tsv(folder / "test.tsv")
    intents = sorted({label for label, _ in train_rows})
    chosen = [str(c) for c in np.random.default_rng(7).choice(intents, INTENTS, replace=False)]
    learned = [row for label in chosen for row in [r for r in train_rows if r[0] == label][:EACH]]
    tested = [row for row in test_rows if row[0] in chosen]
    sentences = SentenceSet(tuple(Sentence(str(i), text, label) for i, (label, text) in enumerate(learned)))
    pairs = pairs_from_groups(sentences, 400, 7)
    print(
        f"\nbanking77: {INTENTS} intents, {EACH} sentences each, {STEPS_LEARNED} steps, "
        f"k-NN (k=5) on {len(tested)} test sentences\n"
    )
    config = TrainingConfig(steps=STEPS_LEARNED)
    trainer = BiEncoderTrainer(registry.load("minilm-l6"), sentences, pairs, config)
    labels, truth = [label for label, _ in learned], [label for label, _ in tested]
    for name, steps in (("before", 0), ("after", STEPS_LEARNED)):
        while trainer.step < steps:
            trainer.advance()
        encoder = trainer.tuned()
        z, zt = encoder.encode(sentences.texts), encoder.encode([text for _, text in tested])
        accuracy = KNeighborsClassifier(5, metric="cosine").fit(z, labels).score(zt, truth)
        print(f"{name:66} {_share(accuracy):>9}")
    print(f"{'seconds of training':66} {trainer.seconds:9.1f}")


def _read_tsv(file: Path) -> list[tuple[str, str]]:
    lines = file.read_text(encoding="utf-8").splitlines()[1:]
    return [(label, text) for label, text in (line.split("\t", 1) for line in lines)]


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _threads() -> str:
    count = torch.get_num_threads()
    return f"{count} thread{'s' if count > 1 else ''}"


def main() -> None:
    asked = os.environ.get("EMBEDDING_LAB_BENCH_THREADS")
    if asked:
        torch.set_num_threads(int(asked))
    speed()
    learning()
    banking()


if __name__ == "__main__":
    main()
