"""What the two cross-encoders learn from: rated pairs for likeness, lists of passages for relevance.

Everything is split by hash into a part to learn from and a part to choose by, so that no text (likeness: no
group of pairs that share one; relevance: no title) is on both sides. All random draws take a generator.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.models.encoder import Encoder
from core.types import FloatArray
from scripts.sentence_changes import CHANGES, DIFFERENT, OF_RATED, SAME

Row = dict[str, str]
Generator = np.random.Generator
NEAREST = 10  # passages that retrieval hands to the cross-encoder
HELD_BACK = 0.12  # share of the groups or titles
GOLD = {
    "1": SAME,
    "0": DIFFERENT,
    "entailment": SAME,
    "contradiction": DIFFERENT,
    "non-entailment": DIFFERENT,
}  # what is neutral is left out
FINE = {  # file: how often a row of equal and of other meaning is drawn in one epoch
    "paws": (3.0, 2.4),
    "condaqa": (4.0, 2.3),
    "cannot": (0.6, 0.09),
    "breaking_nli": (4.0, 0.6),
    "hans_roles": (0.6, 0.3),
    "conjnli": (0.4, 1.0),
}


@dataclass(frozen=True, slots=True)
class Rated:
    """A pair and its gold score, 0 to 1."""

    left: str
    right: str
    gold: float


def read(file: Path) -> list[Row]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def held_back(key: str, share: float = HELD_BACK) -> bool:
    """Whether this group or title belongs to the part to choose by; the same in every run."""
    return int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) < share * 16**8


# --- Likeness ---------------------------------------------------------------------------------------


def sts(file: Path) -> list[Rated]:
    return [Rated(row["sentence1"], row["sentence2"], float(row["score"]) / 5) for row in read(file)]


def write_rated(file: Path, rows: Sequence[Rated]) -> None:
    """As `sts` reads it."""
    lines = ["sentence1\tsentence2\tscore", *(f"{r.left}\t{r.right}\t{5 * r.gold:.4f}" for r in rows)]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def unrated(folder: Path, encoder: Encoder, count: int, rng: Generator) -> list[tuple[str, str]]:
    """Pairs of middling likeness, neighbours by the bi-encoder that are not nearly the same: half among the
    sentences of STS Benchmark's train part, half among sentences of Natural Questions."""
    rated = sts(folder / "stsb" / "train.tsv")
    known = {frozenset((p.left, p.right)) for p in rated}
    own = list(dict.fromkeys(text for p in rated for text in (p.left, p.right)))
    others = list(dict.fromkeys(plain_sentences(folder / "relevance")))
    found: dict[frozenset[str], tuple[str, str]] = {}
    for texts in (own, _drawn(others, 5000, rng)):
        with torch.autocast("cpu", torch.bfloat16):
            z = encoder.encode(texts, batch_size=64)
        lists = list(nearest(z, z, 40))
        left = count // 2
        for i in rng.permutation(np.tile(np.arange(len(texts)), 2)):
            j = lists[i][int(40 * rng.random() ** 2)]  # nearer ones oftener
            key = frozenset((texts[i], texts[j]))
            if left and z[i] @ z[j] < 0.93 and len(key) == 2 and key not in known and key not in found:
                found[key] = (texts[i], texts[j])
                left -= 1
    return list(found.values())


def fine(folder: Path, name: str) -> tuple[list[Rated], list[Rated]]:
    """To learn from and to choose by."""
    found = read(folder / f"{name}.train.tsv")
    rows = [Rated(r["left"], r["right"], GOLD[r["label"]]) for r in found if r["label"] in GOLD]
    groups = _groups([(row.left, row.right) for row in rows])
    sides: tuple[list[Rated], list[Rated]] = ([], [])
    for row, group in zip(rows, groups):
        sides[held_back(group)].append(row)
    return sides


def _groups(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """A name for each pair's group; pairs that share a text, also through others, are in one."""
    parent: dict[str, str] = {}

    def root(text: str) -> str:
        while parent.setdefault(text, text) != text:
            parent[text] = parent[parent[text]]
            text = parent[text]
        return text

    for left, right in pairs:
        a, b = sorted((root(left.casefold()), root(right.casefold())))
        parent[b] = a
    return [root(left.casefold()) for left, _ in pairs]


def fine_epoch(
    rated: Sequence[Rated], fine_rows: dict[str, list[Rated]], sentences: Sequence[str], rng: Generator
) -> dict[str, list[Rated]]:
    """By set: its rows as often as FINE says, and changed sentences of our own."""
    drawn: dict[str, list[Rated]] = {}
    for name, rows in fine_rows.items():
        times = [FINE[name][row.gold == DIFFERENT] for row in rows]
        often = [int(time) + (rng.random() < time % 1) for time in times]
        drawn[name] = [row for row, count in zip(rows, often) for _ in range(count)]
    own = []
    for text in sentences:
        for change, gold, share in CHANGES:
            changed = change(text, rng) if rng.random() < share else None
            if changed is not None:
                own.append(Rated(text, changed, gold))
    drawn["changed sentences"] = own
    changed = [(row.left, change(row.left, rng)) for row in rated for change in OF_RATED]
    same = [row for row in rated if row.gold >= 0.9]
    other = _drawn([Rated(a, b, DIFFERENT) for a, b in changed if b is not None], 2 * len(same), rng)
    drawn["changed sentences of STS Benchmark"] = 2 * same + other
    return drawn


def plain_sentences(folder: Path) -> list[str]:
    """Sentences of Natural Questions to make pairs of."""
    rows = read(folder / "nq_sentences.train.tsv")
    return [row["passage"] for row in rows if 8 <= len(row["passage"].split()) <= 30]


# --- Relevance --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its answering passages and hard negatives, the hardest first."""

    question: str
    positives: tuple[str, ...]
    negatives: tuple[str, ...]


def sentence_questions(folder: Path, name: str, back: bool | None = None) -> list[Asked]:
    """Questions with all sentences of a paragraph or section; `back` picks a side by title."""
    found: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for row in read(folder / f"{name}.tsv"):
        if back is None or held_back(row["title"].split(" / ")[0], 0.2) == back:
            found[row["question"]][row["label"] == "0"].append(" ".join(row["passage"].split()[:80]))
    return [Asked(q, tuple(yes), tuple(no)) for q, (yes, no) in found.items() if yes and no]


def squad_sentences(folder: Path) -> list[tuple[str, str, tuple[str, ...]]]:
    """Question, answering sentence, sentences of the same article nearby."""
    rows = read(folder / "squad_sentences.train.tsv")
    texts = [row["passage"] for row in rows]
    return [
        (
            row["question"],
            row["passage"],
            tuple(dict.fromkeys(t for t in texts[max(0, i - 9) : i + 10] if t != texts[i])),
        )
        for i, row in enumerate(rows)
    ]


YES_NO = re.compile(
    r"^((?:The |An? |It|They|He|She|This )?[\w'’ -]{1,40}?) "
    r"(is|are|was|were|can|may|has|have|had|will|must|did) (?!by\b)([a-z][^.;:]{8,})"
)


def yes_no_question(passage: str, title: str, rng: Generator) -> str | None:
    """A question made of one sentence by moving its verb to the front, lower-case as people type."""
    sentences = [s for s in re.split(r"(?<=[.]) +", passage) if 30 < len(s) < 250]
    matches = [m for m in map(YES_NO.match, sentences) if m]
    if not matches:
        return None
    m = matches[int(rng.integers(len(matches)))]
    subject = re.sub(r"^(It|They|He|She|This)$", lambda _: title, m[1])
    rest = re.split(r",| which | that | who | because | when | while ", m[3])[0].split()
    if len(subject.split()) > 6 or len(rest) < 2:
        return None
    return f"{m[2]} {subject} {' '.join(rest[: int(rng.integers(4, 10))])}".lower()


def nearest(queries: FloatArray, passages: FloatArray, k: int) -> Iterator[list[int]]:
    """The k rows of `passages` nearest to each query, the nearest first."""
    for start in range(0, len(queries), 512):
        cosines = queries[start : start + 512] @ passages.T
        yield from np.argsort(-cosines, axis=1)[:, :k].tolist()


class Vectors:
    """The bi-encoder's vectors of texts, kept in a file: mining and the head's cosine ask for them."""

    def __init__(self, encoder: Encoder, file: Path) -> None:
        self.encoder, self.file = encoder, file
        self.known: dict[str, FloatArray] = {}
        if file.is_file():
            kept = np.load(file, allow_pickle=False)
            self.known = dict(zip(kept["texts"].tolist(), kept["vectors"].astype(np.float32)))

    def of(self, texts: Sequence[str]) -> FloatArray:
        """(n, d) float32 of length 1."""
        missing = sorted({text for text in texts if text not in self.known}, key=len)
        if missing:
            with torch.autocast("cpu", torch.bfloat16):
                found = self.encoder.encode(missing)
            self.known.update(zip(missing, found))
            if len(missing) > 500:
                vectors = np.stack(list(self.known.values())).astype(np.float16)
                np.savez(self.file, texts=np.array(list(self.known)), vectors=vectors)
        return np.stack([self.known[text] for text in texts])


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A question and its paragraph; no negative may hold `answer`; `kind` says where it is from."""

    question: str
    passage: str
    kind: str
    answer: str = ""
    answered: bool = True


def paragraphs(folder: Path, back: bool, rng: Generator) -> list[Paragraph]:
    """Of SQuAD, Natural Questions and MedQuAD, with yes/no questions made from the first two."""
    found = []
    for row in read(folder / "squad_paragraphs.train.tsv"):
        if held_back(row["title"]) == back:
            answer = row["answer"] if len(row["answer"]) > 3 else ""
            found.append(Paragraph(row["question"], row["passage"], "squad", answer, row["label"] == "1"))
    for row in read(folder / f"nq_paragraphs.{'dev' if back else 'train'}.tsv"):
        if 20 < len(row["passage"].split()) < 260:
            found.append(Paragraph(row["question"], row["passage"], "nq"))
            question = yes_no_question(row["passage"], row["title"], rng)
            if question is not None:
                found.append(Paragraph(question, row["passage"], "yes/no"))
    if not back:
        for row in read(folder / "medquad.train.tsv"):
            found.append(Paragraph(row["question"], row["passage"], "medquad"))
        for row in {p.passage: p for p in found if p.kind == "squad"}.values():
            question = yes_no_question(row.passage, "it", rng)
            if question is not None:
                found.append(Paragraph(question, row.passage, "yes/no"))
    return found


DRAWN = {"squad": 800, "nq": 500, "yes/no": 500, "medquad": 100}  # questions to learn from, by kind


def relevance(folder: Path, vectors: Vectors, seed: int) -> tuple[list[list[Asked]], dict[str, list[Asked]]]:
    """To learn from (lists of sentences, lists of paragraphs) and to choose by (by name)."""
    rng = np.random.default_rng(seed)
    sentences = _drawn(sentence_questions(folder, "nq_sentences.train"), 3500, rng)
    sentences += sentence_questions(folder, "selqa.dev", back=False) * 2
    sentences += [Asked(q, (yes,), no) for q, yes, no in _drawn(squad_sentences(folder), 2500, rng)]
    of_kind = paragraphs(folder, False, rng)
    learn = [p for kind, n in DRAWN.items() for p in _drawn([p for p in of_kind if p.kind == kind], n, rng)]
    pool = list(dict.fromkeys(p.passage for p in learn))
    held = {
        "selqa": _ranked(sentence_questions(folder, "selqa.dev", back=True), vectors),
        "nq sentences": _ranked(_drawn(sentence_questions(folder, "nq_sentences.dev"), 150, rng), vectors),
    }
    others = [p for p in paragraphs(folder, True, rng) if p.answered]
    for kind in ("squad", "nq", "yes/no"):
        source = "squad" if kind == "squad" else "nq"
        passages = list(dict.fromkeys(p.passage for p in others if p.kind == source))
        held[kind] = _mined(_drawn([p for p in others if p.kind == kind], 100, rng), passages, vectors)
    return [_ranked(sentences, vectors), _mined(learn, pool, vectors)], held


def _drawn(items: Sequence[Any], count: int, rng: Generator) -> list[Any]:
    return [items[i] for i in sorted(rng.permutation(len(items))[:count])]


def _ranked(asked: Sequence[Asked], vectors: Vectors) -> list[Asked]:
    """The same with the negatives that the bi-encoder takes for likeliest first."""
    vectors.of([text for one in asked for text in (one.question, *one.positives, *one.negatives)])
    found = []
    for one in asked:
        cosines = vectors.of(one.negatives) @ vectors.of([one.question])[0]
        found.append(
            Asked(one.question, one.positives, tuple(one.negatives[i] for i in np.argsort(-cosines)))
        )
    return found


def _mined(learn: Sequence[Paragraph], pool: Sequence[str], vectors: Vectors) -> list[Asked]:
    """Negatives are the nearest passages of the pool that do not hold the answer."""
    z = vectors.of(pool)
    found = []
    for p, rows in zip(learn, nearest(vectors.of([p.question for p in learn]), z, NEAREST)):
        near = tuple(pool[i] for i in rows if pool[i] != p.passage)
        if not p.answered:
            found.append(Asked(p.question, (), (p.passage, *near)))
        else:
            other = tuple(text for text in near if not p.answer or p.answer not in text)
            found.append(Asked(p.question, (p.passage,), other))
    return found
