"""Make the static word vectors of assets/static from all-MiniLM-L6-v2, by model2vec's method.

    python scripts/distill_static.py --out assets/static
    python scripts/distill_static.py --out /tmp/static --data ../shared/data/stsb   # and measure

Each token of the vocabulary goes through the model by itself, framed as [CLS] token [SEP]; its own vector of
the last layer is kept; a principal component analysis leaves 128 dimensions; and each vector is shortened by
how often its token must be expected. Nothing is random. Takes about a minute on two idle cores.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.metrics.measures import spearman
from core.models import registry
from core.models.encoder import Encoder, Tokens
from core.models.static import StaticEncoder, packed, unpacked
from core.types import FloatArray
from scripts.train_cross_encoder import read

DIMENSIONS = 128  # with one byte a number the file stays below 4 MB
SIF = 1e-3  # "a" of smooth inverse frequency, as Arora, Liang & Ma 2017 advise
FIRST_WORD = "the"  # from here on BERT's vocabulary is ordered by how often a token occurs
BATCH = 512
UNUSED = re.compile(r"\[unused\d+\]")


@torch.no_grad()
def own_vectors(encoder: Encoder) -> FloatArray:
    """What the last layer makes of each token of the vocabulary by itself, (v, d) float64."""
    first, last = (encoder.tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]"))
    found = []
    for part in torch.arange(encoder.shape.vocabulary).split(BATCH):
        ids = torch.stack((torch.full_like(part, first), part, torch.full_like(part, last)), dim=1)  # (b, 3)
        tokens = Tokens(ids, torch.ones_like(ids, dtype=torch.bool), (), ())
        found.append(encoder.hidden_states(tokens)[:, 1].double())
    return torch.cat(found).numpy()


def principal(x: FloatArray, used: np.ndarray, dimensions: int) -> FloatArray:
    """(v, d) -> (v, dimensions): the directions in which the used tokens differ most, their mean at 0."""
    centred = x - x[used].mean(axis=0)
    _, directions = np.linalg.eigh(centred[used].T @ centred[used])
    directions = directions[:, ::-1][:, :dimensions]
    largest = np.abs(directions).argmax(axis=0)
    return centred @ (directions * np.sign(directions[largest, np.arange(dimensions)]))


def frequencies(vocabulary: list[str]) -> FloatArray:
    """How often each token must be expected, (v,), by Zipf's law: the r-th most frequent with 1 / (r + 1).

    What stands before the first word (punctuation, single characters) counts as frequent as the first.
    """
    rank = np.maximum(np.arange(len(vocabulary)) - vocabulary.index(FIRST_WORD) + 1, 1)
    words = 1 / np.arange(2, rank[-1] + 2)
    return 1 / (rank + 1) / words.sum()


def distill(encoder: Encoder) -> Tensor:
    """The static vectors (v, 128) float32 of a BERT-family encoder with an English vocabulary; a used one
    is 1 long on average, which no cosine notices."""
    ids = encoder.tokenizer.get_vocab()
    vocabulary = sorted(ids, key=ids.__getitem__)
    used = np.array([UNUSED.fullmatch(token) is None for token in vocabulary])
    weights = SIF / (SIF + frequencies(vocabulary)) * used
    vectors = principal(own_vectors(encoder), used, DIMENSIONS) * weights[:, None]
    return torch.from_numpy(vectors / np.linalg.norm(vectors[used], axis=1).mean()).float()


def measure(encoder: Encoder, file: Path) -> float | None:
    """Spearman's correlation of cosines and people's scores."""
    rated = read(file)
    left, right = encoder.encode([p.left for p in rated]), encoder.encode([p.right for p in rated])
    return spearman((left * right).sum(axis=1), np.array([p.gold for p in rated]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write model.safetensors to")
    parser.add_argument("--data", type=Path, help="folder with dev.tsv and test.tsv of STS Benchmark")
    given = parser.parse_args()
    teacher = registry.load("minilm-l6")
    tensors = packed(distill(teacher))
    given.out.mkdir(parents=True, exist_ok=True)
    file = given.out / "model.safetensors"
    save_file(tensors, file, metadata={"format": "pt"})
    print(f"{file}: {file.stat().st_size / 1e6:.2f} MB", flush=True)
    if given.data is not None:
        student = StaticEncoder(teacher.tokenizer, unpacked(tensors), "static")
        for part in ("dev", "test"):
            for encoder in (teacher, student):
                print(f"{part} {encoder.name} {measure(encoder, given.data / f'{part}.tsv'):.4f}", flush=True)


if __name__ == "__main__":
    main()
