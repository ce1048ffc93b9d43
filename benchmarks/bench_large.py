"""Texts by the hundred thousand: seconds, memory and recall at 5,000, 20,000 and 100,000, and the exponent.

Reads, embeds, indexes, searches and classifies distinct sentences of the public evaluation data, each size in
a process of its own with one thread, as the app's workers have, and draws the map of at most 20,000. Seconds
are of the processor, so that whoever else computes does not count. The vectors are static word vectors, which
the app offers beside MiniLM; MiniLM's are timed on 2,000 texts, since a hundred thousand take it long.

    python -m benchmarks.bench_large [--sizes 5000 20000 100000]
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

DATA = Path(os.environ.get("EMBEDDING_LAB_DATA", ROOT.parent / "shared" / "data"))
COLUMNS = ("left", "right", "question", "passage", "text", "sentence1", "sentence2")
SIZES = (5_000, 20_000, 100_000)
LONGEST, SHORTEST = 300, 15  # characters of a sentence that is taken
TIMED = 2_000  # texts that MiniLM embeds
GOAL = 1.1  # the exponent
LEAST = 0.01  # seconds at the smallest size that an exponent is worth anything from
MODEL = "static"
QUERIES = 50


def sentences() -> dict[str, str]:
    """Distinct sentences, each with the file that it is from, which is its class here."""
    csv.field_size_limit(10**7)
    found: dict[str, str] = {}
    for file in sorted(
        p for name in ("banking77", "finepairs", "relevance", "stsb") for p in (DATA / name).glob("*.tsv")
    ):
        with file.open(encoding="utf-8") as lines:
            rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
            taken = [i for i, name in enumerate(next(rows)) if name in COLUMNS]
            for row in rows:
                for cell in (row[i] for i in taken if i < len(row)):
                    if SHORTEST <= len(cell) <= LONGEST:
                        found.setdefault(" ".join(cell.split()), f"{file.parent.name} {file.stem}")
    return found


def table(file: Path, count: int) -> None:
    rows = list(sentences().items())
    random.Random(7).shuffle(rows)
    assert len(rows) >= count, f"the public data hold {len(rows):,} sentences"
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([("class", "text"), *((of, text) for text, of in rows[:count])])


# --- One size, in a process of its own ---------------------------------------------------------------


def peak() -> float:
    """MiB that this process has had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def stages(count: int, home: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Name and work of everything that is timed, in order."""
    import faiss  # noqa: F401 (what is loaded once is not timed)
    import sklearn.linear_model
    import sklearn.neighbors  # noqa: F401

    from core.concepts import classification
    from core.maps import large
    from core.models import registry
    from core.retrieval import collection, embedding_run, ranking, vector_index
    from core.training.trainer import iterate

    file, room = Path(home) / "texts.csv", collection.Capacity(10**12, 10**12)
    table(file, count)
    known: dict[str, Any] = {}

    def read() -> None:
        known["found"] = collection.read(str(file), "bench", home, room, labelled=True)

    yield "read", read
    folder = known["found"].folder
    task = embedding_run.Embedding(folder, MODEL)
    registry.load(MODEL).encode(["warm up"])
    ranking.Bm25Index(["warm up"])
    yield "embed", lambda: [None for _ in iterate(task.trainer())]
    yield "count words (BM25)", lambda: vector_index.count_words(folder)
    yield "index vectors", lambda: known.update(report=vector_index.build(folder, MODEL))
    z = embedding_run.vectors(folder, MODEL)
    texts = known["found"].texts
    rows = np.random.default_rng(1).choice(count, QUERIES, replace=False).tolist()
    asked = [(texts[i], np.array(z[i])) for i in rows]
    vector_index.by_words(folder, "warm up", 100), vector_index.nearest(folder, MODEL, asked[0][1], 100)
    yield f"{QUERIES} searches by words", lambda: [vector_index.by_words(folder, t, 100) for t, _ in asked]

    def search() -> list[vector_index.Nearest]:
        return [vector_index.nearest(folder, MODEL, vector, 100) for _, vector in asked]

    yield f"{QUERIES} searches by vector, and exactly", search
    found = search()
    print("NOTE", json.dumps({"recall": known["report"].recall, "exact": known["report"].is_exact,
          "graph_ms": 1e3 * float(np.median([f.seconds for f in found])),
          "exact_ms": 1e3 * float(np.median([f.exact_seconds for f in found]))}))  # fmt: skip
    for method in classification.METHODS:
        yield (
            f"classify: {method}",
            partial(classification.compute, classification.tested, folder, MODEL, 7, method, 5),
        )
    vectors = str(embedding_run.vectors_file(folder, MODEL))
    drawn = large.drawn_rows(count)
    large.preview(vectors, drawn[:200], 100)  # compiles
    yield "map: sample", lambda: large.preview(vectors, drawn)
    yield f"map: {len(drawn):,} points", lambda: large.whole(vectors, drawn)
    size = sum(f.stat().st_size for f in Path(folder).rglob("*") if f.is_file()) / 2**20
    print("NOTE", json.dumps({"disk": size, "characters": known["found"].characters / count}))


def one(count: int) -> None:
    """Prints a line of JSON for each stage."""
    with tempfile.TemporaryDirectory() as home:
        for name, work in stages(count, home):
            began, before = time.process_time(), peak()
            work()
            print("STAGE", json.dumps([name, time.process_time() - began, before, peak()]), flush=True)


def minilm() -> float:
    """Texts a second that MiniLM embeds, of the processor."""
    from core.models import registry

    texts = [text for text, _ in zip(sentences(), range(TIMED))]
    encoder = registry.load("minilm-l6")
    encoder.encode(texts[:64])
    began = time.process_time()
    encoder.encode(texts)
    return TIMED / (time.process_time() - began)


# --- The table ---------------------------------------------------------------------------------------


def measured(count: int) -> tuple[dict[str, tuple[float, float, float]], dict[str, Any]]:
    code = f"from benchmarks.bench_large import one; one({count})"
    environment = dict(os.environ) | {
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "NUMBA_NUM_THREADS": "1",
    }
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-2_000:]
    found, notes = {}, {}
    for line in run.stdout.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "STAGE":
            name, *numbers = json.loads(rest)
            found[name] = tuple(numbers)
        elif kind == "NOTE":
            notes |= json.loads(rest)
    return found, notes


def exponent(sizes: list[int], seconds: list[float]) -> float:
    """Of seconds ~ n^e, from the smallest to the largest size."""
    if len(sizes) < 2:
        return float("nan")
    return float(np.log(seconds[-1] / max(seconds[0], 1e-9)) / np.log(sizes[-1] / sizes[0]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    sizes = parser.parse_args().sizes
    results = {n: measured(n) for n in sizes}
    names: list[list[str]] = [list(found) for found, _ in results.values()]
    print("| seconds of one core | " + " | ".join(f"{n:,}" for n in sizes) + " | exponent |")
    print("|---|" + "---|" * (len(sizes) + 1))
    for place, name in enumerate(names[-1]):
        seconds = [results[n][0][names[i][place]][0] for i, n in enumerate(sizes)]
        grows = f"{exponent(sizes, seconds):.2f}" if seconds[0] >= LEAST else ""
        print(f"| {name} | " + " | ".join(f"{s:.2f}" for s in seconds) + f" | {grows} |")
    total = [sum(s for name, (s, _, _) in results[n][0].items() if "map" not in name) for n in sizes]
    print("| all but the map | " + " | ".join(f"{s:.1f}" for s in total), end="")
    slope = exponent(sizes, total)
    print(f" | {slope:.2f} (goal {GOAL}: {'reached' if slope <= GOAL else 'missed'}) |")
    print(
        "| peak memory, MiB | "
        + " | ".join(f"{max(m[2] for m in results[n][0].values()):.0f}" for n in sizes)
        + " | |"
    )
    for n in sizes:
        memory = (f"{name} {a:.0f} {b:.0f}" for name, (_, a, b) in results[n][0].items())
        print(f"\n{n:,}: {json.dumps(results[n][1])}; MiB before and after: {', '.join(memory)}")
    print(f"\nMiniLM embeds {minilm():.0f} texts a second of one core ({TIMED:,} texts).")


if __name__ == "__main__":
    main()
