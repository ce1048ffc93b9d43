"""How good and how fast the maps are, on real snapshots of a model that learns; prints tables.

Reads ../shared/design/sentiment_frames.npz (31 frames, 40 sentences, 384 dims) where it is there, and
makes moving clusters of 200 and 2,000 points. Run: python -m benchmarks.bench_projection

  jitter   largest move between frames when the embeddings do not change, as a share of map width (goal 0)
  noise    median move when every embedding is moved by 0.0001 at random, same unit: shows that a still map
           rests by itself
  corr     Spearman correlation of a point's move on the map with its move in 384 dims (goal 0.85)
  trust    trustworthiness (k=5, cosine) of the first and last frame and the least of all (goal 0.95)
  ms       wall clock, and cpu time of all threads, which other work on the machine disturbs less
  points   mean share of a point's 10 nearest neighbours that are its 10 nearest on the map
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.maps import layouts  # noqa: E402
from core.types import Frame  # noqa: E402

DATA = ROOT.parent / "shared" / "design" / "sentiment_frames.npz"
NOISE = 1e-4  # length of the random move


def moving_clusters(n: int, frames: int, dims: int = 384, seed: int = 0) -> NDArray[np.float32]:
    """(frames, n, dims) unit rows: n points in n / 20 clusters that draw together, ever slower."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(max(2, n // 20), dims))
    group = np.arange(n) % len(centres)
    own = random.normal(size=(n, dims)) * 1.5
    out = []
    for t in range(frames):
        x = centres[group] + own * np.exp(-t / 10)
        out.append(x / np.linalg.norm(x, axis=1, keepdims=True))
    return np.asarray(out, np.float32)


def moves(points: NDArray) -> NDArray:
    """(frames, n, dims) -> length of every move, (frames - 1, n)."""
    return np.linalg.norm(np.diff(points, axis=0), axis=2)


def correlation(frames: list[Frame], embeddings: NDArray) -> float:
    from scipy.stats import spearmanr

    drawn = np.stack([f.xy for f in frames])
    return float(spearmanr(moves(drawn).ravel(), moves(embeddings).ravel())[0])


def live(method: str, embeddings: NDArray) -> tuple[list[Frame], float, list[float], float]:
    """Frames as a live run draws them, ms of the start, ms of every later frame, their mean cpu ms."""
    begin = time.perf_counter()
    state, frame = layouts.start(method, embeddings[0])
    started = (time.perf_counter() - begin) * 1e3
    frames, each = [frame], []
    busy = time.process_time()
    for step, x in enumerate(embeddings[1:], 1):
        begin = time.perf_counter()
        state, frame = layouts.advance(state, x, step)
        each.append((time.perf_counter() - begin) * 1e3)
        frames.append(frame)
    cpu = (time.process_time() - busy) * 1e3 / max(1, len(each))
    return frames, started, each, cpu


def stillness(method: str, x: NDArray) -> tuple[float, float]:
    """(jitter, noise) as shares of map width."""
    state, first = layouts.start(method, x)
    width = float(np.ptp(first.xy, axis=0).max())
    state, again = layouts.advance(state, x, 1)
    push = np.random.default_rng(0).normal(size=x.shape)
    push *= NOISE / np.linalg.norm(push, axis=1, keepdims=True)
    _, nudged = layouts.advance(state, x + push, 2)
    jitter = np.linalg.norm(again.xy - first.xy, axis=1).max()
    return float(jitter) / width, float(np.median(np.linalg.norm(nudged.xy - again.xy, axis=1))) / width


def study(embeddings: NDArray) -> None:
    print(f"Maps of {len(embeddings)} frames, {embeddings.shape[1]} sentences, MiniLM learning sentiment")
    print(
        f"{'layout':16s} {'jitter':>8s} {'noise':>8s} {'corr':>6s} {'first':>7s} {'last':>6s} "
        f"{'least':>6s} {'points':>7s} {'ms/frame':>9s} "
        f"{'cpu ms':>7s} {'start ms':>9s}"
    )
    for method in layouts.LAYOUTS:
        frames, started, each, cpu = live(method, embeddings)
        jitter, noise = stillness(method, embeddings[0])
        trust = [f.trustworthiness or 0.0 for f in frames]
        points = float(np.mean([f.trust.mean() for f in frames]))
        print(
            f"{method:16s} {jitter:8.4f} {noise:8.5f} {correlation(frames, embeddings):+6.2f} "
            f"{trust[0]:7.3f} {trust[-1]:6.3f} {min(trust):6.3f} {points:7.2f} {np.median(each):9.1f} "
            f"{cpu:7.1f} {started:9.0f}"
        )


def speed() -> None:
    print("\nSpeed on moving clusters, trust and trustworthiness included")
    print(
        f"{'layout':16s} {'points':>7s} {'ms/frame':>9s} {'cpu ms':>7s} {'start ms':>9s} {'least trust':>12s}"
    )
    for n, frames in ((200, 12), (2000, 5)):
        embeddings = moving_clusters(n, frames)
        for method in ("equilibrium", "equilibrium3d", "pca"):
            drawn, started, each, cpu = live(method, embeddings)
            least = min(f.trustworthiness or 0.0 for f in drawn)
            print(f"{method:16s} {n:7d} {np.median(each):9.1f} {cpu:7.1f} {started:9.0f} {least:12.3f}")


def main() -> None:
    begin = time.perf_counter()
    layouts.warm_up()
    print(f"warm-up {time.perf_counter() - begin:.1f} s, {os.cpu_count()} cores\n")
    if DATA.exists():
        with np.load(DATA, allow_pickle=False) as file:
            study(file["F"])
    else:
        print("Skipped the study of real snapshots: ../shared/design/sentiment_frames.npz is not there.")
    speed()


if __name__ == "__main__":
    main()
