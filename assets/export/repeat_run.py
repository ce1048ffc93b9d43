"""A training run of Embedding Lab as one script: the same sentences, pairs, settings and batches.

    pip install "sentence-transformers>=5.1"
    python repeat_run.py                 # trains, compares the scores, writes the model to tuned-model/
    python repeat_run.py --base FOLDER   # start from a model folder on this machine

Static word vectors are not on the hub: they lie in Embedding Lab's folder assets/static, which --base names.

The arithmetic is the same as in the app; the last digits may differ, because the order of additions does.
With dropout the random masks differ too, so scores agree only roughly.
"""

import argparse
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer

try:
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, StaticEmbedding
except ImportError:  # before version 6
    from sentence_transformers.models import Normalize, Pooling, StaticEmbedding

# <data>
BASE = "sentence-transformers/all-MiniLM-L6-v2"
STATIC = False  # the model is a table of static word vectors, without layers
LAYERS = None  # keep only so many layers of the base model
SETTINGS = {}
SENTENCES = []  # (text, group)
TRAIN = []  # (left, right, label): rows of SENTENCES
HELD_OUT = []
EXPECTED = {}  # what the app measured at the end
# </data>

SHUFFLE, PARTNER = 1, 2  # keep the streams of random numbers apart
NEEDS = {"mnrl": "positives", "triplet": "triplets", "simcse": "unlabelled"}
TEXTS = [text for text, _ in SENTENCES]
TOKENIZER = "sentence-transformers/all-MiniLM-L6-v2"  # of static word vectors that lie without one
MOST_TOKENS = 256
DROPOUT = max(SETTINGS.get("dropout", 0.0), 0.1 if SETTINGS.get("loss") == "simcse" else 0.0)


# --- The model: all-MiniLM-L6-v2 or what BASE says; only the top layers learn ---------------------


def load_static(base):
    kept = Path(base) / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(kept)) if kept.is_file() else Tokenizer.from_pretrained(TOKENIZER)
    tokenizer.enable_truncation(MOST_TOKENS)
    found = load_file(Path(base) / "model.safetensors")
    packed = "scales" in found  # one byte a number, one scale a token
    table = (
        found["vectors"].float() * found["scales"].float()[:, None] if packed else found["embedding.weight"]
    )
    part = StaticEmbedding(tokenizer, embedding_weights=table)
    return SentenceTransformer(modules=[part, Normalize()], device="cpu").eval(), [part]


def load(base):
    if STATIC:
        return load_static(base)
    model = SentenceTransformer(base, device="cpu")
    bert = model[0].auto_model
    if LAYERS is not None:
        bert.encoder.layer = bert.encoder.layer[:LAYERS]
        bert.config.num_hidden_layers = LAYERS
    if SETTINGS["base_model"] == "blank":
        fill_randomly(bert, SETTINGS["seed"])
    width = bert.config.hidden_size
    model = SentenceTransformer(
        modules=[model[0], Pooling(width, pooling_mode=SETTINGS["pooling"]), Normalize()],
        prompts=model.prompts,
        default_prompt_name=model.default_prompt_name,
        device="cpu",
    )
    model.requires_grad_(False).eval()
    layers = bert.encoder.layer
    learning = list(layers[max(0, len(layers) - SETTINGS["trained_layers"]) :])
    if SETTINGS["train_word_embeddings"]:
        learning.append(bert.embeddings)
    for part in learning:
        part.requires_grad_(True)
        for module in part.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = DROPOUT
            if hasattr(module, "dropout_prob"):
                module.dropout_prob = DROPOUT
    return model, learning


def fill_randomly(bert, seed):
    """The blank slate: as BERT starts, normal with deviation 0.02, in the app's order of drawing."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*targets):
        shape = (sum(len(t) for t in targets), *targets[0].shape[1:])
        fresh = torch.empty(shape).normal_(0.0, 0.02, generator=generator)
        for target, part in zip(targets, fresh.split([len(t) for t in targets])):
            target.data.copy_(part)

    for name, parameter in bert.named_parameters():
        parameter.data.fill_(1.0 if "LayerNorm.weight" in name else 0.0)
    e = bert.embeddings
    for table in (e.word_embeddings, e.position_embeddings, e.token_type_embeddings):
        draw(table.weight)
    for layer in bert.encoder.layer:
        a = layer.attention
        draw(a.self.query.weight, a.self.key.weight, a.self.value.weight)
        for linear in (a.output.dense, layer.intermediate.dense, layer.output.dense):
            draw(linear.weight)


def embed(model, rows):
    """Unit vectors (len(rows), d) of these sentences."""
    tokenize = getattr(model, "preprocess", None) or model.tokenize
    prompt = (model.prompts or {}).get(model.default_prompt_name or "") or ""
    tokens = tokenize([prompt + TEXTS[i].strip() for i in rows])
    if not STATIC:
        return model(tokens)["sentence_embedding"]
    x = F.embedding(tokens["input_ids"], model[0].embedding.weight)
    x = F.dropout(x, DROPOUT, model[0].training)  # which StaticEmbedding itself does not have
    return F.normalize(F.embedding_bag(torch.arange(len(x)), x, tokens["offsets"]))


def embed_all(model):
    with torch.no_grad():
        return torch.cat([embed(model, [i]) for i in range(len(TEXTS))]).numpy()


# --- The batches: a pure function of seed and step --------------------------------------------------


def slice_of_epoch(count, step):
    cuts = -(-count // SETTINGS["batch_size"])
    if count > 1 and count / cuts < 2:
        cuts = count // 2
    epoch, part = divmod(step - 1, cuts)
    order = np.random.default_rng((SETTINGS["seed"], SHUFFLE, epoch)).permutation(count)
    return np.array_split(order, cuts)[part]


def sentences_alike():
    """(n, n) bool: the same text, the same group, or a pair that says so; a pair outweighs the groups."""
    groups = [group for _, group in SENTENCES]
    several = len({g for g in groups if g is not None}) >= 2
    alike = np.array([[a == b for b in TEXTS] for a in TEXTS])
    if several:
        alike |= np.array([[a is not None and a == b for b in groups] for a in groups])
    opposites = [{} for _ in SENTENCES]
    for a, b, label in TRAIN:
        alike[a, b] = alike[b, a] = label >= 0.5
        if label < 0.5 and a != b:
            opposites[a][b] = opposites[b][a] = None
    return alike, [sorted(partners) for partners in opposites]


def make_sampler():
    """step -> (left, right, label, negative, known): rows of SENTENCES, and who is no true negative."""
    left = np.array([a for a, _, _ in TRAIN], int)
    right = np.array([b for _, b, _ in TRAIN], int)
    label = np.array([y for _, _, y in TRAIN], float)
    alike, opposites = sentences_alike()
    opposed = np.array([bool(partners) for partners in opposites])
    needs = NEEDS.get(SETTINGS["loss"], "labelled")

    def labelled(step):
        chosen = slice_of_epoch(len(label), step)
        return left[chosen], right[chosen], label[chosen], None, None

    similar = np.flatnonzero(label >= 0.5)
    turn = ~opposed[left[similar]] & opposed[right[similar]]
    anchors_of = np.where(turn, right[similar], left[similar])
    others_of = np.where(turn, left[similar], right[similar])

    def positives(step):
        chosen = slice_of_epoch(len(similar), step)
        anchors, others = anchors_of[chosen], others_of[chosen]
        known, ones = alike[np.ix_(anchors, others)], np.ones(len(anchors))
        if not opposed[anchors].any():
            return anchors, others, ones, None, known
        rng = np.random.default_rng((SETTINGS["seed"], PARTNER, step))
        negatives = np.array([rng.choice(opposites[a]) if opposed[a] else a for a in anchors])
        beyond = alike[np.ix_(anchors, negatives)] | ~opposed[anchors][None, :]
        return anchors, others, ones, negatives, np.hstack((known, beyond))

    both = np.concatenate((left[similar], right[similar]))
    partners = np.concatenate((right[similar], left[similar]))
    usable = opposed[both] if len(both) else np.zeros(0, bool)
    both, partners = both[usable], partners[usable]

    def triplets(step):
        chosen = slice_of_epoch(len(both), step)
        rng = np.random.default_rng((SETTINGS["seed"], PARTNER, step))
        negatives = np.array([rng.choice(opposites[a]) for a in both[chosen]])
        return both[chosen], partners[chosen], np.ones(len(chosen)), negatives, None

    apart = {row for a, b, _ in HELD_OUT for row in (a, b)}
    first = {text: i for i, text in reversed(list(enumerate(TEXTS)))}
    spare = np.array(sorted(set(first.values()) - apart))

    def unlabelled(step):
        rows = spare[slice_of_epoch(len(spare), step)]
        return rows, rows, np.ones(len(rows)), None, None

    kinds = {"labelled": labelled, "positives": positives, "triplets": triplets, "unlabelled": unlabelled}
    return kinds[needs]


# --- The losses: functions of unit vectors (b, d) -------------------------------------------------


def cos(a, b):
    return (a * b).sum(dim=1)


def in_batch(u, v, negative, out):
    """InfoNCE: each anchor must find its own partner; candidates in `out` are no true negatives."""
    candidates = v if negative is None else torch.cat((v, negative))
    logits = (u @ candidates.T / SETTINGS["temperature"]).masked_fill(out, -torch.inf)
    return (logits.logsumexp(dim=1) - logits.diagonal()).mean()


def loss_of(u, v, negative, label, out, head):
    kind, margin, temperature = SETTINGS["loss"], SETTINGS["margin"], SETTINGS["temperature"]
    if kind == "contrastive":
        distance = 1 - cos(u, v)
        apart = (margin - distance).relu().square()
        return (0.5 * (label * distance.square() + (1 - label) * apart)).mean()
    if kind == "cosine":
        return (cos(u, v) - label).square().mean()
    if kind == "triplet":
        return (cos(u, negative) - cos(u, v) + margin).relu().mean()
    if kind == "cosent":
        cosine = cos(u, v)
        gaps = (cosine[None, :] - cosine[:, None]) / temperature
        wrong = gaps[label[:, None] > label[None, :]]
        return torch.cat((gaps.new_zeros(1), wrong)).logsumexp(dim=0)
    if kind == "softmax":
        parts = {"u": u, "v": v, "|u-v|": (u - v).abs(), "u*v": u * v}
        seen = torch.cat([parts[name] for name in SETTINGS["concatenation"].split(",")], dim=1)
        classes = (label * (len(head[0]) - 1) + 0.5).floor().long()
        return F.cross_entropy(F.linear(seen, *head), classes)
    return in_batch(u, v, negative, out)  # mnrl and simcse


def false_negatives(left, right, negative, known):
    """(b, c) bool: the anchor itself, partners of this batch in either order, and what `known` says."""
    candidates = right if negative is None else np.concatenate((right, negative))
    itself = left[:, None] == candidates[None, :]
    forth = (left[:, None] == left).astype(int) @ (right[:, None] == candidates).astype(int)
    back = (left[:, None] == right).astype(int) @ itself.astype(int)
    out = itself | (forth + back > 0)
    if known is not None:
        out |= known
    return torch.from_numpy(out & ~np.eye(len(left), len(candidates), dtype=bool))


def new_head(width):
    """The softmax loss's classifier, thrown away after training."""
    generator = torch.Generator().manual_seed(SETTINGS["seed"])
    size = width * len(SETTINGS["concatenation"].split(","))
    bound = 1 / math.sqrt(size)
    weight = torch.empty(2, size).uniform_(-bound, bound, generator=generator)
    bias = torch.empty(2).uniform_(-bound, bound, generator=generator)
    return [torch.nn.Parameter(weight), torch.nn.Parameter(bias)]


# --- Measuring: one threshold, chosen on the training pairs ---------------------------------------


def scored(z, pairs):
    cosines = np.array([float(np.clip(z[a] @ z[b], -1, 1)) for a, b, _ in pairs])
    return cosines, np.array([y >= 0.5 for _, _, y in pairs], bool)


def best_threshold(scores, truth):
    if not truth.any() or truth.all():
        return None
    order = np.argsort(scores, kind="stable")
    scores, truth = scores[order], truth[order]
    right = np.concatenate([[0], np.cumsum(~truth)])
    right = right + truth.sum() - np.concatenate([[0], np.cumsum(truth)])
    gaps = np.concatenate([[0.0], np.diff(scores), [0.0]])
    possible = np.concatenate([[True], np.diff(scores) > 0, [True]])
    best = np.flatnonzero(possible & (right == right[possible].max()))
    i = int(best[np.argmax(gaps[best])])
    if i == 0:
        return float(scores[0])
    if i == len(scores):
        return float(np.nextafter(scores[-1], np.inf))
    return float((scores[i - 1] + scores[i]) / 2)


def measure(model):
    z = embed_all(model)
    scores, truth = scored(z, HELD_OUT)
    threshold = best_threshold(*scored(z, TRAIN))
    found = {}
    if len(scores) and threshold is not None:
        found["held_out_accuracy"] = float(np.mean((scores >= threshold) == truth))
    if truth.any() and not truth.all():
        wins = scores[truth][:, None] - scores[~truth][None, :]
        found["held_out_auc"] = float(np.mean((wins > 0) + 0.5 * (wins == 0)))
    return found


# --- Training -------------------------------------------------------------------------------------


def train(model, learning):
    head = new_head(embed(model, [0]).shape[1]) if SETTINGS["loss"] == "softmax" else []
    parameters = [p for part in learning for p in part.parameters()] + head
    decay = SETTINGS["weight_decay"]
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": decay},
            {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
        ],
        lr=SETTINGS["learning_rate"],
    )
    sample, steps = make_sampler(), SETTINGS["steps"]
    rising = max(1, math.ceil(SETTINGS["warmup"] * steps))
    torch.manual_seed(SETTINGS["seed"])
    last = SETTINGS.get("last_step", steps)  # where the run in the app stood
    for step in range(1, last + 1):
        left, right, label, negative, known = sample(step)
        for part in learning:
            part.train(DROPOUT > 0)
        if SETTINGS["loss"] == "simcse":
            z = embed(model, np.concatenate((left, right)))
            u, v, n = z[: len(left)], z[len(left) :], None
            out = torch.zeros(len(left), len(left), dtype=torch.bool)
        else:
            sides = [left, right] if negative is None else [left, right, negative]
            rows, places = np.unique(np.concatenate(sides), return_inverse=True)
            z = embed(model, rows)
            u, v, *rest = (z[torch.from_numpy(p)] for p in places.reshape(len(sides), -1))
            n, out = (rest[0] if rest else None), false_negatives(left, right, negative, known)
        loss = loss_of(u, v, n, torch.from_numpy(label).float(), out, head)
        optimizer.zero_grad()
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = SETTINGS["learning_rate"] * min(1.0, step / rising)
        optimizer.step()
        if step == 1 or step % 10 == 0 or step == last:
            print(f"step {step} of {last}: loss {loss.item():.4f}", flush=True)
    model.eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", default=BASE, help="hub id or folder of the base model")
    parser.add_argument("--out", default="tuned-model", help="where the tuned model is written")
    arguments = parser.parse_args()
    model, learning = load(arguments.base)
    print("before:", measure(model))
    train(model, learning)
    print("after: ", measure(model))
    print("in the app:", EXPECTED)
    model.save_pretrained(arguments.out)
    print(f"The model is in {arguments.out}.")


if __name__ == "__main__":
    main()
