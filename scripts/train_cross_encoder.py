"""Train the packaged cross-encoder on STS Benchmark: a LoRA adapter for all-MiniLM-L6-v2 and a head.

    python scripts/train_cross_encoder.py ../shared/data/stsb --out assets/cross_encoder

The folder holds train.tsv, dev.tsv and test.tsv with the columns score (0 to 5), sentence1, sentence2.
The defaults are the recipe of the shipped weights; everything random derives from the seed. Weights are
averaged over the last steps (an exponential moving average), and it is the average that is measured and
kept. What to keep is decided on dev; test is read only with --test.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.metrics.measures import spearman
from core.models import registry
from core.models.adapter import write_adapter
from core.models.encoder import Encoder, Layer
from core.models.joint_model import ACROSS, Head, JointModel

MAX_TOKENS = 96  # of a pair in training; 99 % of the pairs are shorter
INNER = 64  # width of the head's network
MATRICES = {  # our names of a layer's linear maps, and transformers' names
    "query_key_value": ("attention.self.query", "attention.self.key", "attention.self.value"),
    "attention_out": ("attention.output.dense",),
    "up": ("intermediate.dense",),
    "down": ("output.dense",),
}


@dataclass(frozen=True, slots=True)
class Recipe:
    seed: int = 7
    epochs: int = 3
    batch_size: int = 16
    rank: int = 32
    rate: float = 7e-4  # of the adapter
    head_rate: float = 1e-3
    scale_rate: float = 1e-2  # of the cosine's slope and offset
    warmup: float = 0.06
    decay: float = 0.01
    dropout: float = 0.1
    correlation: float = 0.3  # weight of 1 - Pearson's r within the batch, beside cross-entropy
    average: float = 0.99  # decay of the moving average of the weights


@dataclass(frozen=True, slots=True)
class Rated:
    """A pair and its gold score, 0 to 1."""

    left: str
    right: str
    gold: float


class Adapted(nn.Module):
    """The joint model with W + B A in place of each linear map W; only A, B, token types and head learn."""

    def __init__(self, base: Encoder, recipe: Recipe) -> None:
        super().__init__()
        torch.manual_seed(recipe.seed)
        head = Head(base.dim, INNER)
        nn.init.normal_(head.out.weight, std=0.02)  # at first the cosine decides
        nn.init.zeros_(head.out.bias)
        self.joint = JointModel(base.copy(), head).requires_grad_(False)
        self.trained = nn.ParameterDict({"token_type": base.embeddings.token_type.detach().clone()})
        self.head = head.requires_grad_(True)
        self.lora = nn.ParameterDict()
        for i, layer in enumerate(self.joint.layers):
            assert isinstance(layer, Layer)
            for own, theirs in MATRICES.items():
                rows, columns = getattr(layer, own).weight.shape
                for name in theirs:
                    a = torch.empty(recipe.rank, columns)
                    nn.init.kaiming_uniform_(a, a=math.sqrt(5))  # as peft starts
                    self.lora[_key(i, name, "A")] = a
                    self.lora[_key(i, name, "B")] = torch.zeros(rows // len(theirs), recipe.rank)

    def weights(self) -> dict[str, Tensor]:
        """The adapted matrices under the joint model's own names."""
        found: dict[str, Tensor] = {"embeddings.token_type": self.trained["token_type"]}
        for i, layer in enumerate(self.joint.layers):
            for own, theirs in MATRICES.items():
                change = [self.lora[_key(i, name, "B")] @ self.lora[_key(i, name, "A")] for name in theirs]
                found[f"layers.{i}.{own}.weight"] = getattr(layer, own).weight + torch.cat(change)
        return found

    def forward(self, pairs: Sequence[tuple[str, str]], dropout: float = 0.0) -> Tensor:
        from core.models.joint_model import join

        tokens = join(self.joint.tokenizer, pairs, self.joint.across, MAX_TOKENS)
        # bfloat16 halves the time; the weights that learn stay float32.
        with torch.autocast("cpu", torch.bfloat16):
            logits: Tensor = functional_call(self.joint, self.weights(), (tokens, dropout))
        return logits.float()

    def groups(self, recipe: Recipe) -> list[dict[str, object]]:
        inside = [*self.lora.values(), self.trained["token_type"]]
        network = [*self.head.inner.parameters(), *self.head.out.parameters()]
        return [
            {"params": inside, "lr": recipe.rate, "peak": recipe.rate},
            {"params": network, "lr": recipe.head_rate, "peak": recipe.head_rate},
            {"params": [self.head.scale], "lr": recipe.scale_rate, "peak": recipe.scale_rate},
        ]


def _key(layer: int, name: str, which: str) -> str:
    """A key that ParameterDict accepts: no dots."""
    return f"{layer}/{name.replace('.', '-')}/{which}"


def hub_names(lora: nn.ParameterDict) -> dict[str, Tensor]:
    """As transformers and peft call them."""
    found = {}
    for key, value in lora.items():
        layer, name, which = key.split("/")
        found[f"encoder.layer.{layer}.{name.replace('-', '.')}.lora_{which}.weight"] = value.detach()
    return found


def read(file: Path) -> list[Rated]:
    with file.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Rated(row["sentence1"], row["sentence2"], float(row["score"]) / 5) for row in rows]


def epoch_of(rated: Sequence[Rated], recipe: Recipe, epoch: int) -> list[list[Rated]]:
    """Shuffled batches of similar length, each pair in a random order of its texts."""
    rng = np.random.default_rng((recipe.seed, epoch))
    turned = rng.random(len(rated)) < 0.5
    pairs = [Rated(p.right, p.left, p.gold) if turn else p for p, turn in zip(rated, turned)]
    length = [len(p.left) + len(p.right) + rng.uniform(-12, 12) for p in pairs]
    order = np.argsort(length)
    starts = rng.permutation(np.arange(0, len(pairs), recipe.batch_size))
    return [[pairs[i] for i in order[start : start + recipe.batch_size]] for start in starts]


def objective(logits: Tensor, gold: Tensor, correlation: float) -> Tensor:
    """Binary cross-entropy with soft labels, and how far scores and labels are from a straight line."""
    loss = F.binary_cross_entropy_with_logits(logits, gold)
    if len(gold) < 5:
        return loss
    x, y = torch.sigmoid(logits), gold - gold.mean()
    x = x - x.mean()
    return loss + correlation * (1 - (x @ y) / (x.norm() * y.norm() + 1e-6))


def rate_at(share: float, warmup: float) -> float:
    """Linear warm-up, then half a cosine down to 2 %."""
    return min(1.0, share / warmup) * (0.98 * 0.5 * (1 + math.cos(math.pi * share)) + 0.02)


def measure(model: Adapted, rated: Sequence[Rated], both: bool) -> float:
    """Spearman's correlation with the gold scores; `both` averages the logits of the two orders."""
    asked = [(p.left, p.right) for p in rated]
    logits = np.zeros(len(asked))
    for order in (asked, [(right, left) for left, right in asked]) if both else (asked,):
        by_length = sorted(range(len(order)), key=lambda i: len(order[i][0]) + len(order[i][1]))
        for start in range(0, len(order), 64):
            rows = by_length[start : start + 64]
            with torch.no_grad():
                logits[rows] += model([order[i] for i in rows]).numpy()
    found = spearman(logits, [p.gold for p in rated])
    assert found is not None
    return found


class Average:
    """An exponential moving average of everything that learns."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.live = [p for p in model.parameters() if p.requires_grad]
        self.mean = [p.detach().clone() for p in self.live]
        self.decay = decay

    def add(self, step: int) -> None:
        keep = min(self.decay, (1 + step) / (10 + step))
        for mean, p in zip(self.mean, self.live):
            mean.lerp_(p.detach(), 1 - keep)

    def swap(self) -> None:
        """Exchange the model's weights and the average; a second call undoes the first."""
        for i, p in enumerate(self.live):
            self.mean[i], p.data = p.data, self.mean[i]


def train(model: Adapted, rated: Sequence[Rated], recipe: Recipe) -> Iterator[tuple[int, Average]]:
    """Yields after every epoch. Prints where it is once in a while."""
    groups = model.groups(recipe)
    optimizer = torch.optim.AdamW(groups, weight_decay=recipe.decay, betas=(0.9, 0.98))
    average = Average(model, recipe.average)
    total, step, losses, began = recipe.epochs * len(epoch_of(rated, recipe, 0)), 0, [], time.perf_counter()
    for epoch in range(recipe.epochs):
        for batch in epoch_of(rated, recipe, epoch):
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * rate_at(step / total, recipe.warmup)
            logits = model([(p.left, p.right) for p in batch], recipe.dropout)
            loss = objective(logits, torch.tensor([p.gold for p in batch]), recipe.correlation)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(average.live, 1.0)
            optimizer.step()
            step += 1
            average.add(step)
            losses.append(loss.item())
            if step % 60 == 0:
                seconds = time.perf_counter() - began
                print(f"step {step}/{total}  loss {np.mean(losses[-60:]):.4f}  {seconds:.0f} s", flush=True)
        yield epoch + 1, average


def main() -> None:
    usual = Recipe()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder with train.tsv, dev.tsv and test.tsv")
    parser.add_argument("--out", type=Path, required=True, help="folder to write the adapter to")
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--epochs", type=int, default=usual.epochs)
    parser.add_argument("--rate", type=float, default=usual.rate)
    parser.add_argument("--test", action="store_true", help="measure on test.tsv as well, at the end")
    given = parser.parse_args()
    recipe = Recipe(seed=given.seed, epochs=given.epochs, rate=given.rate)
    dev = read(given.data / "dev.tsv")
    model = Adapted(registry.load("minilm-l6"), recipe)
    print(f"{recipe}\ndev Spearman before training {measure(model, dev, both=False):.4f}", flush=True)
    for epoch, average in train(model, read(given.data / "train.tsv"), recipe):
        average.swap()
        last = epoch == recipe.epochs
        print(f"epoch {epoch}  dev Spearman {measure(model, dev, both=last):.4f}", flush=True)
        token_types = model.trained["token_type"].detach()
        write_adapter(given.out, hub_names(model.lora), token_types, model.head, recipe.rank, 1.0, ACROSS)
        if last and given.test:
            found = measure(model, read(given.data / "test.tsv"), both=True)
            print(f"test Spearman {found:.4f}", flush=True)
        average.swap()


if __name__ == "__main__":
    main()
