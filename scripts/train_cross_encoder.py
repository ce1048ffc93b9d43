"""Train the packaged cross-encoders: LoRA adapters for all-MiniLM-L6-v2, each with a head.

    python scripts/train_cross_encoder.py likeness ../shared/data --start FOLDER --teacher FOLDER --out FOLDER
    python scripts/train_cross_encoder.py relevance ../shared/data --out assets/relevance

Likeness (same meaning?) learns from rated pairs, relevance (does the passage answer?) from lists of one
answering passage and hard negatives: cross_encoder_data.py says of what. The recipes below are those of the
shipped weights, and everything random derives from the seed and the step. Weights are averaged over the last
steps (an exponential moving average); the average is measured, on the part held back, and kept. With --start
a run begins with the adapter of a folder (likeness needs one: it is the teacher too, unless --teacher names
another), with --state a stopped run goes on where it was, and --cut writes an adapter with a lower rank.
What has been run in which order for the two readings of likeness is in its model card.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.models import registry
from core.models.adapter import ADAPTER, CONFIG, HEAD, PEFT, write_adapter
from core.models.encoder import Encoder
from core.models.joint_model import ACROSS
from scripts import cross_encoder_data as data
from scripts.cross_encoder_adapted import Adapted, hub_names
from scripts.cross_encoder_data import Asked, Rated, Vectors
from scripts.cross_encoder_measures import logits_of, of_likeness, of_relevance


@dataclass(frozen=True, slots=True)
class Recipe:
    steps: int = 2000
    seed: int = 7
    rank: int = 32
    rate: float = 7e-4  # of the adapter
    head_rate: float = 1e-3
    scale_rate: float = 1e-2  # of the cosines' slopes and the offset
    warmup: float = 0.06
    decay: float = 0.01
    dropout: float = 0.1
    average: float = 0.998  # decay of the moving average of the weights
    batch: int = 32  # pairs of a batch, for likeness
    mix: tuple[int, int] = (1, 0)  # batches in a step: of graded pairs (or of lists), and of other sets
    taught: int = 16000  # pairs that the teacher scores, for likeness
    teaching: float = 0.5  # likeness: weight of the squared distance to the teacher's logits
    sharpness: float = 2.0  # likeness: of the ordered loss
    correlation: float = 0.3  # likeness: weight of 1 - Pearson's r within the batch
    lists: tuple[int, int] = (6, 3)  # relevance: lists of sentences, lists of paragraphs in a step
    negatives: tuple[int, int] = (4, 3)  # of each such list
    alone: float = 0.2  # relevance: weight of the cross-entropy of each pair by itself

    @property
    def together(self) -> int:
        """Batches of a step."""
        return sum(self.mix)


RECIPES = {
    "likeness": Recipe(steps=1200, mix=(1, 2), rate=6e-4, head_rate=6e-4, scale_rate=1e-3),
    "relevance": Recipe(steps=1000, rate=5e-4, dropout=0.05, average=0.995),
}


@dataclass(frozen=True, slots=True)
class Batch:
    """Pairs of one step and their gold scores. `kind` says whose these are: people's (rated), a teacher's
    (taught), or of a set that asks only that pairs of equal meaning score higher than the others, whatever
    the scores are (ordered). `lists` are the rows of each list, for relevance."""

    pairs: list[tuple[str, str]]
    gold: Tensor
    kind: str = "rated"
    lists: tuple[slice, ...] = ()


def likeness_batches(folder: Path, taught: Sequence[Rated], recipe: Recipe) -> Iterator[Batch]:
    """Endless: in each step as many batches of graded pairs (STS Benchmark's or the teacher's) and of other
    sets as `mix` says; each of similar length and each pair in a random order of its texts."""
    rated = data.sts(folder / "stsb" / "train.tsv")
    fine = {name: data.fine(folder / "finepairs", name)[0] for name in data.FINE}
    sentences = data.plain_sentences(folder / "relevance")
    rng = np.random.default_rng(recipe.seed)
    graded: list[tuple[str, list[Rated]]] = []
    others: list[tuple[str, list[Rated]]] = []
    while True:
        if len(graded) < recipe.mix[0]:
            graded = _shuffled({"rated": [rated], "taught": [taught]}, recipe.batch, rng)
        if len(others) < recipe.mix[1]:
            drawn = data.fine_epoch(rated, fine, sentences, rng)
            others = _shuffled({"ordered": list(drawn.values())}, recipe.batch, rng)
        for kind, rows in [source.pop() for source, n in zip((graded, others), recipe.mix) for _ in range(n)]:
            turned = rng.random(len(rows)) < 0.5
            pairs = [(p.right, p.left) if turn else (p.left, p.right) for p, turn in zip(rows, turned)]
            yield Batch(pairs, torch.tensor([p.gold for p in rows]), kind)


def _shuffled(
    sets: dict[str, list[Sequence[Rated]]], size: int, rng: np.random.Generator
) -> list[tuple[str, list[Rated]]]:
    """Batches of the sets, each with its kind."""
    cut = [(kind, batch) for kind, some in sets.items() for rows in some for batch in _cut(rows, size, rng)]
    return [cut[i] for i in rng.permutation(len(cut))]


def taught_pairs(folder: Path, base: Encoder, teacher: Path, recipe: Recipe, file: Path) -> list[Rated]:
    """Pairs of middling likeness with the teacher's score; `file` keeps them for a resumed run."""
    if not file.is_file():
        pairs = data.unrated(folder, base, recipe.taught, np.random.default_rng(recipe.seed))
        model = Adapted(base, rank_of(teacher), recipe.seed)
        model.start(teacher)
        logits = logits_of(model, pairs) + logits_of(model, [(b, a) for a, b in pairs])
        golds = 1 / (1 + np.exp(-logits / 2))
        data.write_rated(file, [Rated(a, b, float(gold)) for (a, b), gold in zip(pairs, golds)])
    return data.sts(file)


def _cut(rows: Sequence[Rated], size: int, rng: np.random.Generator) -> list[list[Rated]]:
    """Shuffled batches of similar length."""
    order = np.argsort([len(p.left) + len(p.right) + rng.uniform(-12, 12) for p in rows])
    starts = rng.permutation(np.arange(0, len(rows) - size // 2, size))
    return [[rows[i] for i in order[start : start + size]] for start in starts]


def relevance_batches(learn: Sequence[Sequence[Asked]], recipe: Recipe) -> Iterator[Batch]:
    """Endless: by turns lists of sentences and of paragraphs; hard negatives are drawn oftener."""
    rng = np.random.default_rng(recipe.seed)
    orders: list[list[int]] = [[], []]
    while True:
        for kind, asked in enumerate(learn):
            pairs, gold, lists = [], [], []
            for _ in range(recipe.lists[kind]):
                orders[kind] = orders[kind] or rng.permutation(len(asked)).tolist()
                one = asked[orders[kind].pop()]
                places = np.sort(rng.permutation(len(one.negatives))[: 2 * recipe.negatives[kind]])
                negatives = [one.negatives[i] for i in places[: recipe.negatives[kind]]]
                if not one.positives:
                    negatives = [one.negatives[0], *negatives[:1]]  # the paragraph it seems to be about
                passages = [*(one.positives[i] for i in rng.permutation(len(one.positives))[:1]), *negatives]
                lists.append(slice(len(pairs), len(pairs) + len(passages)))
                pairs += [(one.question, text) for text in passages]
                gold += [float(text in one.positives) for text in passages]
            yield Batch(pairs, torch.tensor(gold), lists=tuple(lists))


def objective(logits: Tensor, batch: Batch, recipe: Recipe) -> Tensor:
    """Likeness: cross-entropy with soft labels, and how far scores and labels are from a straight line; of
    sets without graded scores only the order counts, softplus(other - same) over all such two of the batch.
    It is sharp, so that it lets go of two pairs sooner and leaves their grades as they are.

    Relevance: cross-entropy of choosing the answering passage of each list, and a little of each pair's own,
    so that 0.5 is where "answers" begins.
    """
    if batch.kind == "ordered":
        same, other = logits[batch.gold > 0.5], logits[batch.gold <= 0.5]
        both = len(same) and len(other)
        apart = recipe.sharpness * (other[None, :] - same[:, None])
        return F.softplus(apart).mean() / recipe.sharpness if both else logits.sum() * 0.0
    if batch.kind == "taught":
        return recipe.teaching * F.mse_loss(logits, torch.logit(batch.gold, 1e-4))
    alone = F.binary_cross_entropy_with_logits(logits, batch.gold)
    if not batch.lists:
        x, y = torch.sigmoid(logits), batch.gold - batch.gold.mean()
        x = x - x.mean()
        return alone + recipe.correlation * (1 - (x @ y) / (x.norm() * y.norm() + 1e-6))
    chosen = [-F.log_softmax(logits[rows], dim=0)[0] for rows in batch.lists if batch.gold[rows][0] == 1]
    return recipe.alone * alone + (torch.stack(chosen).mean() if chosen else 0.0)


def groups(model: Adapted, recipe: Recipe) -> list[dict[str, Any]]:
    """What learns, by learning rate."""
    head = model.head
    inside = [*model.lora.values(), model.token_type]
    slopes = [head.scale, *([] if head.apart is None else [head.apart])]
    network = [*head.inner.parameters(), *head.out.parameters()]
    rates = (recipe.rate, recipe.head_rate, recipe.scale_rate)
    return [
        {"params": params, "lr": rate, "peak": rate} for params, rate in zip((inside, network, slopes), rates)
    ]


def rate_at(share: float, warmup: float) -> float:
    """Linear warm-up, then half a cosine down to 2 %."""
    return min(1.0, share / warmup) * (0.98 * 0.5 * (1 + math.cos(math.pi * share)) + 0.02)


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


def train(
    model: Adapted, batches: Iterator[Batch], recipe: Recipe, state: Path | None
) -> Iterator[tuple[int, Average]]:
    """Yields after every step. Prints where it is once in a while."""
    optimizer = torch.optim.AdamW(groups(model, recipe), weight_decay=recipe.decay, betas=(0.9, 0.98))
    average = Average(model, recipe.average)
    begun = 0 if state is None or not state.is_file() else restore(state, optimizer, average)
    losses: list[list[float]] = []
    began = time.perf_counter()
    for step in range(recipe.steps):
        together = [next(batches) for _ in range(recipe.together)]
        if step < begun:
            continue
        torch.manual_seed(recipe.seed * 1_000_003 + step)
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * rate_at(step / recipe.steps, recipe.warmup)
        optimizer.zero_grad()
        losses.append([])
        for batch in together:
            loss = objective(model(batch.pairs, recipe.dropout), batch, recipe)
            loss.backward()
            losses[-1].append(loss.item())
        nn.utils.clip_grad_norm_(average.live, 1.0)
        optimizer.step()
        average.add(step + 1)
        if (step + 1) % 50 == 0:
            seconds = time.perf_counter() - began
            loss_now = "  ".join(f"{x:.4f}" for x in np.mean(losses[-50:], axis=0))
            print(f"step {step + 1}/{recipe.steps}  loss {loss_now}  {seconds:.0f} s", flush=True)
        if state is not None and (step + 1) % 200 == 0:
            keep(state, step + 1, optimizer, average)
        yield step + 1, average


def keep(state: Path, step: int, optimizer: torch.optim.Optimizer, average: Average) -> None:
    tensors = {"step": torch.tensor(step)}
    for i, (live, mean) in enumerate(zip(average.live, average.mean)):
        moments = {key: value for key, value in optimizer.state[live].items() if isinstance(value, Tensor)}
        for key, value in {"live": live.detach(), "mean": mean, **moments}.items():
            tensors[f"{i}.{key}"] = value.contiguous()
    save_file(tensors, state.with_suffix(".new"))
    state.with_suffix(".new").replace(state)  # a stop while writing leaves the old one


def restore(state: Path, optimizer: torch.optim.Optimizer, average: Average) -> int:
    """The number of steps done."""
    kept = load_file(state)
    for i, (live, mean) in enumerate(zip(average.live, average.mean)):
        live.data.copy_(kept[f"{i}.live"])
        mean.copy_(kept[f"{i}.mean"])
        optimizer.state[live] = {key: kept[f"{i}.{key}"] for key in ("step", "exp_avg", "exp_avg_sq")}
    return int(kept["step"])


def rank_of(folder: Path) -> int:
    return int(json.loads((folder / PEFT).read_text("utf-8"))["r"])


def cut(start: Path, out: Path, rank: int) -> None:
    """Write the adapter in `start` with so low a rank: each B A becomes its nearest matrix of that rank, from
    the singular value decomposition (Eckart & Young 1936)."""
    out.mkdir(parents=True, exist_ok=True)
    adapter = load_file(start / ADAPTER)
    for name in [name for name in adapter if name.endswith("lora_A.weight")]:
        up_name = name.replace("lora_A", "lora_B")
        u, s, v = torch.linalg.svd(adapter[up_name].float() @ adapter[name].float(), full_matrices=False)
        root = s[:rank].sqrt()
        adapter[up_name] = (u[:, :rank] * root).half().contiguous()
        adapter[name] = (root[:, None] * v[:rank]).half().contiguous()
    save_file(adapter, out / ADAPTER, metadata={"format": "pt"})
    config = json.loads((start / PEFT).read_text("utf-8")) | {"r": rank, "lora_alpha": rank}
    (out / PEFT).write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    for name in (HEAD, CONFIG):
        shutil.copy(start / name, out / name)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("judgement", choices=RECIPES)
    parser.add_argument("data", type=Path, help="folder with stsb, finepairs and relevance")
    parser.add_argument("--out", type=Path, required=True, help="folder to write the adapter to")
    parser.add_argument("--start", type=Path, help="folder of an adapter to begin with")
    parser.add_argument(
        "--teacher", type=Path, help="folder of the adapter to learn from; --start by default"
    )
    parser.add_argument("--state", type=Path, help="file to go on from; written every 200 steps")
    parser.add_argument("--vectors", type=Path, help="file to keep the bi-encoder's vectors in (relevance)")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--every", type=int, default=400, help="steps between measurements")
    parser.add_argument("--rate", type=float, help="of the adapter and of the head's network, for likeness")
    parser.add_argument(
        "--mix", type=int, nargs=2, help="batches of graded pairs and of other sets in a step"
    )
    parser.add_argument("--cut", type=int, help="only this: write --start to --out with so low a rank")
    given = parser.parse_args()
    if given.judgement == "likeness" and given.start is None:
        parser.error("likeness needs --start, the adapter that it begins with and learns from")
    if given.cut is not None:
        cut(given.start, given.out, given.cut)
        return
    changes = {key: value for key in ("seed", "steps") if (value := getattr(given, key)) is not None}
    if given.mix is not None:
        changes["mix"] = tuple(given.mix)
    if given.start is not None:
        changes["rank"] = rank_of(given.start)
    if given.rate is not None:
        changes |= {"rate": given.rate, "head_rate": given.rate}
    recipe = replace(RECIPES[given.judgement], **changes)
    print(recipe, flush=True)
    base = registry.load("minilm-l6")
    if given.judgement == "likeness":
        model = Adapted(base, recipe.rank, recipe.seed)
        taught = taught_pairs(
            given.data, base, given.teacher or given.start, recipe, given.out / "taught.tsv"
        )
        batches, held = likeness_batches(given.data, taught, recipe), {}
    else:
        vectors = Vectors(base, given.vectors or given.out / "vectors.npz")
        learn, held = data.relevance(given.data / "relevance", vectors, recipe.seed)
        model = Adapted(base, recipe.rank, recipe.seed, vectors)
        batches = relevance_batches(learn, recipe)

    if given.start is not None:
        model.start(given.start)

    def measure(most: int) -> str:
        if given.judgement == "likeness":
            found = of_likeness(model, given.data, most)
        else:
            found = of_relevance(model, vectors, held, most)
        return "  ".join(f"{name} {value:.3f}" for name, value in found.items() if value is not None)

    for step, average in train(model, batches, recipe, given.state):
        last = step == recipe.steps
        if last or step % given.every == 0:
            average.swap()
            token_types = model.token_type.detach()
            write_adapter(given.out, hub_names(model.lora), token_types, model.head, recipe.rank, 1.0, ACROSS)
            print(
                f"step {step}  {measure((3000 if not held else 60) if last else 150 if not held else 15)}",
                flush=True,
            )
            average.swap()


if __name__ == "__main__":
    main()
