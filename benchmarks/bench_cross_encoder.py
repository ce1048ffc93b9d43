"""Cross-encoder and bi-encoder: STS Benchmark, pairs a second, time to re-rank 100, search in the corpus

Data: STS Benchmark (Cer et al. 2017) in ../shared/data/stsb, or in stsb/ of the folder that
EMBEDDING_LAB_DATA names. Without it the first table is left out.
"""

from __future__ import annotations

import csv
import os
import time
from pathlib import Path

import numpy as np

from core.metrics.measures import spearman
from core.models import cross_encoder, registry
from core.models.cross_encoder import CrossEncoder
from core.models.encoder import Encoder
from core.retrieval import ranking as retrieval
from core.retrieval.corpus import built_in
from core.retrieval.costs import SBERT, pair_count, sample_texts
from core.retrieval.ranking import Ranking

DATA = Path(os.environ.get("EMBEDDING_LAB_DATA") or Path(__file__).parents[2] / "shared" / "data") / "stsb"
RETRIEVED = 20  # passages that the cross-encoder re-ranks
AT = 10  # figures of a search look at the first ten


def main() -> None:
    bi, cross = registry.load("minilm-l6"), cross_encoder.load()
    if DATA.is_dir():
        sts_benchmark(bi, cross)
    else:
        print(f"No STS Benchmark at {DATA}; set EMBEDDING_LAB_DATA.")
    speed(bi, cross)
    search(bi)


def sts_benchmark(bi: Encoder, cross: CrossEncoder) -> None:
    print("| STS Benchmark, Spearman | pairs | bi-encoder | cross-encoder | difference between orders |")
    print("|---|---|---|---|---|")
    for split in ("dev", "test"):
        with (DATA / f"{split}.tsv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
        gold = [float(row["score"]) for row in rows]
        pairs = [(row["sentence1"], row["sentence2"]) for row in rows]
        left, right = (bi.encode([pair[side] for pair in pairs]) for side in (0, 1))
        both = cross.score_both_orders(pairs)
        found = spearman((left * right).sum(axis=1), gold), spearman(both.logits, gold)
        gap = np.abs(both.difference).mean()
        print(f"| {split} | {len(pairs):,} | {found[0]:.4f} | {found[1]:.4f} | {gap:.4f} |", flush=True)


def speed(bi: Encoder, cross: CrossEncoder) -> None:
    texts = sample_texts(256)
    pairs = list(zip(texts[:128], texts[128:]))
    passages = built_in().full_texts[:100]
    embed = seconds(lambda: bi.encode(texts)) / len(texts)
    score = seconds(lambda: cross.score(pairs)) / len(pairs)
    rerank = seconds(lambda: cross.score([("Why does chopping onions hurt?", text) for text in passages]))
    print(f"\n| speed ({os.environ.get('OMP_NUM_THREADS', 'all')} threads) | |\n|---|---|")
    print(f"| texts embedded a second | {1 / embed:,.0f} |\n| pairs scored a second | {1 / score:,.0f} |")
    print(f"| re-rank 100 passages | {rerank:.2f} s |")
    n = SBERT.texts
    print(f"| all pairs of {n:,} texts at this rate | {pair_count(n) * score / 3600:,.0f} h |")
    print(f"| {n:,} texts embedded at this rate | {n * embed:,.0f} s |")


def seconds(work: object) -> float:
    """The faster of two rounds."""
    assert callable(work)
    rounds = []
    for _ in range(2):
        began = time.perf_counter()
        work()
        rounds.append(time.perf_counter() - began)
    return min(rounds)


def search(bi: Encoder) -> None:
    corpus = built_in()
    z, queries = bi.encode(corpus.full_texts), bi.encode([q.text for q in corpus.questions])
    words = retrieval.Bm25Index(corpus.full_texts)
    found: dict[str, list[Ranking]] = {"BM25": [], "bi-encoder": [], f"re-ranked top {RETRIEVED}": []}
    for question, vector in zip(corpus.questions, queries):
        top = retrieval.rank_by_cosine(vector, z, RETRIEVED)
        scores = cross_encoder.score_relevance(retrieval.pairs_to_read(question.text, corpus, top)).logits
        rankings = (words.rank(question.text), top, retrieval.rerank(top, scores))
        for name, ranking in zip(found, rankings):
            found[name].append(ranking)
    print(
        f"\n| built-in corpus, {len(corpus.questions)} questions | recall@1 | recall@{AT} | MRR | nDCG@{AT} |"
    )
    print("|---|---|---|---|---|")
    answers = [question.answers for question in corpus.questions]
    for name, rankings in found.items():
        first, ten = (retrieval.evaluate(rankings, answers, k) for k in (1, AT))
        assert first is not None and ten is not None
        row = (first.recall, ten.recall, ten.reciprocal_rank, ten.ndcg)
        print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in row) + " |", flush=True)


if __name__ == "__main__":
    main()
