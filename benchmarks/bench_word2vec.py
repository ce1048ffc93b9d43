"""Word2vec: running words a second, our compiled loop beside gensim's, on the same text with one thread.

Both learn skip-gram with negative sampling from the built-in grammar's sentences with the same settings. The
two take turns and the median of each counts, so that a busy machine slows both alike. Compiling (numba, once
an installation) is timed apart. Quality is beside it, so that speed is not bought with it.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import replace

import numpy as np
from gensim.models import Word2Vec

from core.training import word2vec
from core.training.word2vec import Settings, grammar
from core.training.word2vec.text import TokenizedText, read

ROUNDS = 5
SENTENCES = 8_000
SETTINGS = Settings(epochs=4)


def ours(corpus: TokenizedText, settings: Settings) -> np.ndarray:
    *_, last = word2vec.train(corpus, settings)
    return last.vectors


def gensims(corpus: TokenizedText, sentences: list[list[str]], settings: Settings) -> np.ndarray:
    model = Word2Vec(
        vector_size=settings.dimensions,
        window=settings.window,
        sg=1,
        hs=0,
        negative=settings.negatives,
        sample=settings.subsample,
        alpha=settings.rate,
        min_alpha=word2vec.LOWEST_RATE,
        min_count=1,
        workers=1,
        seed=settings.seed,
    )
    model.build_vocab(sentences)
    model.train(sentences, total_examples=len(sentences), epochs=settings.epochs)
    return model.wv[list(corpus.vocabulary)]


def seconds(work: object) -> float:
    assert callable(work)
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def shared(a: np.ndarray, b: np.ndarray, corpus: TokenizedText, k: int = 5) -> float:
    """Mean share of the k nearest that both name, over the words whose kind the grammar knows."""
    row = corpus.row()
    near = [
        [{i for i, _ in word2vec.nearest(v, v[row[w]], (row[w],), k)} for v in (a, b)]
        for w in grammar.groups()
    ]
    return float(np.mean([len(x & y) / k for x, y in near]))


def main() -> None:
    corpus = read(grammar.text(SENTENCES))
    words = [corpus.vocabulary[w] for w in corpus.words]
    sentences = [words[a:b] for a, b in zip(corpus.bounds[:-1], corpus.bounds[1:])]
    tiny = replace(SETTINGS, epochs=1)
    compiled = seconds(word2vec.Word2vecTrainer(corpus, tiny).advance)
    print(f"{len(corpus.words):,} running words, {len(corpus.vocabulary)} different, {SETTINGS}")
    print(f"loading or compiling the loop: {compiled:.1f} s\n")
    print("| dimensions | words a second, ours | gensim | ours / gensim | shared neighbours | analogies |")
    print("|---|---|---|---|---|---|")
    for dimensions in (50, 100, 200):
        settings = replace(SETTINGS, dimensions=dimensions)
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(ROUNDS):
            times[0].append(seconds(lambda s=settings: ours(corpus, s)))
            times[1].append(seconds(lambda s=settings: gensims(corpus, sentences, s)))
        a, b = (len(corpus.words) * settings.epochs / statistics.median(t) for t in times)
        mine, theirs = ours(corpus, settings), gensims(corpus, sentences, settings)
        right = [word2vec.analogy_accuracy(corpus, v, grammar.analogies()) or 0.0 for v in (mine, theirs)]
        print(
            f"| {dimensions} | {a:,.0f} | {b:,.0f} | {a / b:.2f} | {shared(mine, theirs, corpus):.2f} "
            f"| {right[0]:.2f} ours, {right[1]:.2f} gensim |"
        )


if __name__ == "__main__":
    main()
