"""Train the packaged cross-encoders: LoRA adapters for all-MiniLM-L6-v2, each with a head.

    python scripts/train_cross_encoder.py likeness ../shared/data --start FOLDER --out assets/likeness
    python scripts/train_cross_encoder.py relevance ../shared/data --out assets/relevance

Likeness (same meaning?) learns from rated pairs, relevance (does the passage answer?) from lists of one
answering passage and hard negatives: cross_encoder_data.py says of what. The recipes below are those of the
shipped weights, and everything random derives from the seed and the step. Weights are averaged over the last
steps (an exponential moving average); the average is measured, on the part held back, and kept. With --start
a run begins with the adapter of a folder, with --state a stopped run goes on where it was, and --blend writes
the straight line between start and end, so much of the way: a little of the new for less forgetting.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.func import functional_call

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.models import registry
from core.models.adapter import ADAPTER, HEAD, PREFIX, write_adapter
from core.models.encoder import Encoder, Layer
from core.models.joint_model import ACROSS, Head, JointModel, join
from scripts import cross_encoder_data as data
from scripts.cross_encoder_data import Asked, Rated, Vectors
from scripts.cross_encoder_measures import of_likeness, of_relevance

MAX_TOKENS = 256  # of a pair, as in use
INNER = 64  # width of the head's network
MATRICES = {  # our names of a layer's linear maps, and transformers' names
    "query_key_value": ("attention.self.query", "attention.self.key", "attention.self.value"),
    "attention_out": ("attention.output.dense",),
    "up": ("intermediate.dense",),
    "down": ("output.dense",),
}


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
    batch: int = 24  # pairs of a step, for likeness
    correlation: float = 0.3  # likeness: weight of 1 - Pearson's r within the batch
    lists: tuple[int, int] = (6, 3)  # relevance: lists of sentences, lists of paragraphs in a step
    negatives: tuple[int, int] = (4, 3)  # of each such list
    alone: float = 0.2  # relevance: weight of the cross-entropy of each pair by itself


RECIPES = {
    "likeness": Recipe(steps=1000, rate=4e-4, head_rate=4e-4, scale_rate=1e-3, average=0.995),
    "relevance": Recipe(steps=1000, rate=5e-4, dropout=0.05, average=0.995),
}


class Adapted(nn.Module):
    """The joint model with W + B A in place of each linear map W; only A, B, token types and head learn."""

    def __init__(self, base: Encoder, recipe: Recipe, vectors: Vectors | None = None) -> None:
        super().__init__()
        torch.manual_seed(recipe.seed)
        head = Head(base.dim, INNER, apart=vectors is not None)
        self.vectors = vectors
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

    def start(self, folder: Path) -> None:
        """Begin with the adapter and the head of this folder."""
        adapter, head = load_file(folder / ADAPTER), load_file(folder / HEAD)
        names = {PREFIX + name: key for key, name in zip(self.lora, hub_names(self.lora))}
        for name, value in adapter.items():
            target = self.lora[names[name]] if name in names else self.trained["token_type"]
            target.data.copy_(value.float())
        self.head.load_state_dict({key: value.float() for key, value in head.items()})

    def weights(self) -> dict[str, Tensor]:
        """The adapted matrices under the joint model's own names."""
        found: dict[str, Tensor] = {"embeddings.token_type": self.trained["token_type"]}
        for i, layer in enumerate(self.joint.layers):
            for own, theirs in MATRICES.items():
                change = [self.lora[_key(i, name, "B")] @ self.lora[_key(i, name, "A")] for name in theirs]
                found[f"layers.{i}.{own}.weight"] = getattr(layer, own).weight + torch.cat(change)
        return found

    def forward(self, pairs: Sequence[tuple[str, str]], dropout: float = 0.0) -> Tensor:
        tokens = join(self.joint.tokenizer, pairs, self.joint.across, MAX_TOKENS)
        if self.vectors is not None:
            z = torch.from_numpy(self.vectors.of([text for pair in pairs for text in pair]))
            tokens = replace(tokens, cosines=(z[0::2] * z[1::2]).sum(dim=1))
        # bfloat16 halves the time; the weights that learn stay float32.
        with torch.autocast("cpu", torch.bfloat16):
            logits: Tensor = functional_call(self.joint, self.weights(), (tokens, dropout))
        return logits.float()

    def groups(self, recipe: Recipe) -> list[dict[str, object]]:
        inside = [*self.lora.values(), self.trained["token_type"]]
        slopes = [self.head.scale, *([] if self.head.apart is None else [self.head.apart])]
        network = [*self.head.inner.parameters(), *self.head.out.parameters()]
        return [
            {"params": inside, "lr": recipe.rate, "peak": recipe.rate},
            {"params": network, "lr": recipe.head_rate, "peak": recipe.head_rate},
            {"params": slopes, "lr": recipe.scale_rate, "peak": recipe.scale_rate},
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


@dataclass(frozen=True, slots=True)
class Batch:
    """Pairs of one step and their gold scores. `lists` are the rows of each list, for relevance; `ordered`
    asks only that pairs of equal meaning score higher than the others, whatever the scores are."""

    pairs: list[tuple[str, str]]
    gold: Tensor
    lists: tuple[slice, ...] = ()
    ordered: bool = False


def likeness_batches(folder: Path, recipe: Recipe) -> Iterator[Batch]:
    """Endless: by turns a batch of STS Benchmark and one of another set, each of similar length and each
    pair in a random order of its texts."""
    rated = data.sts(folder / "stsb" / "train.tsv")
    fine = {name: data.fine(folder / "finepairs", name)[0] for name in data.FINE}
    sentences = data.plain_sentences(folder / "relevance")
    rng = np.random.default_rng(recipe.seed)
    graded: list[list[Rated]] = []
    others: list[list[Rated]] = []
    while True:
        graded = graded or _cut(rated, recipe.batch, rng)
        if not others:
            drawn = data.fine_epoch(rated, fine, sentences, rng)
            cut = [batch for rows in drawn.values() for batch in _cut(rows, recipe.batch, rng)]
            others = [cut[i] for i in rng.permutation(len(cut))]
        for batch, ordered in ((graded.pop(), False), (others.pop(), True)):
            turned = rng.random(len(batch)) < 0.5
            pairs = [(p.right, p.left) if turn else (p.left, p.right) for p, turn in zip(batch, turned)]
            yield Batch(pairs, torch.tensor([p.gold for p in batch]), ordered=ordered)


def _cut(rows: Sequence[Rated], size: int, rng: np.random.Generator) -> list[list[Rated]]:
    """Shuffled batches of similar length."""
    order = np.argsort([len(p.left) + len(p.right) + rng.uniform(-12, 12) for p in rows])
    starts = rng.permutation(np.arange(0, len(rows), size))
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
            yield Batch(pairs, torch.tensor(gold), tuple(lists))


def objective(logits: Tensor, batch: Batch, recipe: Recipe) -> Tensor:
    """Likeness: cross-entropy with soft labels, and how far scores and labels are from a straight line; of
    sets without graded scores only the order counts, softplus(other - same) over all such two of the batch.

    Relevance: cross-entropy of choosing the answering passage of each list, and a little of each pair's own,
    so that 0.5 is where "answers" begins.
    """
    if batch.ordered:
        same, other = logits[batch.gold > 0.5], logits[batch.gold <= 0.5]
        both = len(same) and len(other)
        return F.softplus(other[None, :] - same[:, None]).mean() if both else logits.sum() * 0.0
    alone = F.binary_cross_entropy_with_logits(logits, batch.gold)
    if not batch.lists:
        x, y = torch.sigmoid(logits), batch.gold - batch.gold.mean()
        x = x - x.mean()
        return alone + recipe.correlation * (1 - (x @ y) / (x.norm() * y.norm() + 1e-6))
    chosen = [-F.log_softmax(logits[rows], dim=0)[0] for rows in batch.lists if batch.gold[rows][0] == 1]
    return recipe.alone * alone + (torch.stack(chosen).mean() if chosen else 0.0)


def rate_at(share: float, warmup: float) -> float:
    """Linear warm-up, then half a cosine down to 2%."""
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
    optimizer = torch.optim.AdamW(model.groups(recipe), weight_decay=recipe.decay, betas=(0.9, 0.98))
    average = Average(model, recipe.average)
    begun = 0 if state is None or not state.is_file() else restore(state, optimizer, average)
    losses: list[float] = []
    began = time.perf_counter()
    for step, batch in zip(range(recipe.steps), batches):
        if step < begun:
            continue
        torch.manual_seed(recipe.seed * 1_000_003 + step)
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * rate_at(step / recipe.steps, recipe.warmup)
        loss = objective(model(batch.pairs, recipe.dropout), batch, recipe)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(average.live, 1.0)
        optimizer.step()
        average.add(step + 1)
        losses.append(loss.item())
        if (step + 1) % 50 == 0:
            seconds = time.perf_counter() - began
            print(
                f"step {step + 1}/{recipe.steps}  loss {np.mean(losses[-50:]):.4f}  {seconds:.0f} s",
                flush=True,
            )
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


def blend(start: Path, out: Path, share: float) -> None:
    """Replace the weights in `out` by the ones at this share of the straight line from those in `start`."""
    for name in (ADAPTER, HEAD):
        a, b = load_file(start / name), load_file(out / name)
        mean = {key: torch.lerp(a[key].float(), b[key].float(), share).half() for key in b}
        save_file(mean, out / name, metadata={"format": "pt"})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("judgement", choices=RECIPES)
    parser.add_argument("data", type=Path, help="folder with stsb, finepairs and relevance")
    parser.add_argument("--out", type=Path, required=True, help="folder to write the adapter to")
    parser.add_argument("--start", type=Path, help="folder of an adapter to begin with")
    parser.add_argument("--state", type=Path, help="file to go on from; written every 200 steps")
    parser.add_argument("--vectors", type=Path, help="file to keep the bi-encoder's vectors in (relevance)")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--every", type=int, default=400, help="steps between measurements")
    parser.add_argument(
        "--blend", type=float, help="only this: move --out to this share of the way from --start"
    )
    given = parser.parse_args()
    if given.blend is not None:
        blend(given.start, given.out, given.blend)
        return
    changes = {key: value for key in ("seed", "steps") if (value := getattr(given, key)) is not None}
    recipe = replace(RECIPES[given.judgement], **changes)
    print(recipe, flush=True)
    base = registry.load("minilm-l6")
    if given.judgement == "likeness":
        model = Adapted(base, recipe)
        batches, held = likeness_batches(given.data, recipe), {}
    else:
        vectors = Vectors(base, given.vectors or given.out / "vectors.npz")
        learn, held = data.relevance(given.data / "relevance", vectors, recipe.seed)
        model = Adapted(base, recipe, vectors)
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
            token_types = model.trained["token_type"].detach()
            write_adapter(given.out, hub_names(model.lora), token_types, model.head, recipe.rank, 1.0, ACROSS)
            print(
                f"step {step}  {measure((3000 if not held else 60) if last else 150 if not held else 15)}",
                flush=True,
            )
            average.swap()


if __name__ == "__main__":
    main()
