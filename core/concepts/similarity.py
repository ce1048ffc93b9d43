"""Three ways to say how alike two vectors are, the orders they give, and where the model's answer is wrong.

Numpy only, but for clustering (scikit-learn's companion scipy) and `pooled`, which needs the model.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ..data.assets import ASSETS
from ..data.text import MAX_CHARACTERS, clean, is_blank, lines_of, split_bars
from ..types import FloatArray, InputError, IntArray
from ..vectors import cosine_matrix, euclidean_distances, row_cosines

CHALLENGE_SETS = ASSETS / "challenge_sets"
MOST_SENTENCES = 100  # a matrix of more cannot be read
MOST_TRIPLES = 200
BATCH = 32


@dataclass(frozen=True, slots=True)
class Measure:
    """One row: how to compare all rows of z (n, d), and whether a larger value means more alike."""

    key: str
    title: str
    formula: str  # LaTeX
    larger_is_closer: bool
    compute: Callable[[FloatArray], FloatArray]


def dot(z: FloatArray) -> FloatArray:
    """Dot product of every two rows, (n, n): the cosine times both lengths."""
    return z @ z.T


MEASURES: dict[str, Measure] = {
    row.key: row
    for row in (
        Measure("cosine", "Cosine", r"\cos(u, v) = \frac{u \cdot v}{|u|\,|v|}", True, cosine_matrix),
        Measure("dot", "Dot product", r"u \cdot v = \sum_i u_i v_i", True, dot),
        Measure(
            "euclidean",
            "Euclidean distance",
            r"|u - v| = \sqrt{\sum_i (u_i - v_i)^2}",
            False,
            euclidean_distances,
        ),
    )
}


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """`leaves` (n,): an order of the rows in which neighbours are alike. `labels` (n,) count up along it."""

    leaves: IntArray
    labels: IntArray


def pooled(texts: Sequence[str], base_model: str = "minilm-l6", seed: int = 0) -> FloatArray:
    """Mean-pooled vectors BEFORE they are scaled to length 1, (n, d) float32. Raises InputError."""
    import torch

    from ..models import registry
    from ..models.encoder import pool

    encoder = registry.load(base_model, seed=seed)
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    z = np.zeros((len(texts), encoder.dim), np.float32)
    with torch.no_grad():
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            tokens = encoder.tokenize([texts[i] for i in rows])
            z[rows] = pool(encoder.hidden_states(tokens), tokens.mask, "mean").numpy()
    return z


def stretched(z: FloatArray, row: int, factor: float) -> FloatArray:
    """A copy of z in which one vector is `factor` times as long, in the same direction."""
    longer = z.copy()
    longer[row] *= np.float32(factor)
    return longer


def places(z: FloatArray, anchor: int, measure: str) -> IntArray:
    """The place (1: most alike) of every row beside row `anchor` under a measure; 0 for the anchor itself.

    Values that agree to five digits share the order of the rows, so that rounding decides nothing.
    """
    row = MEASURES[measure]
    values = row.compute(z)[anchor].astype(np.float64)
    keys = np.round(-values if row.larger_is_closer else values, 5)
    others = [i for i in np.argsort(keys, kind="stable").tolist() if i != anchor]
    found = np.zeros(len(z), np.int64)
    found[others] = np.arange(1, len(z))
    return found


def clusters(z: FloatArray, count: int) -> Clusters:
    """Average linkage on cosine distance (Sokal & Michener 1958), cut into at most `count` groups.

    `leaves` is the order of the tree that puts like beside like (Bar-Joseph et al. 2001).
    """
    n = len(z)
    if n < 2:
        return Clusters(np.arange(n), np.zeros(n, np.int64))
    from scipy.cluster.hierarchy import fcluster, leaves_list, linkage
    from scipy.spatial.distance import squareform

    distances = np.maximum(1 - cosine_matrix(z).astype(np.float64), 0)
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(distances, checks=False), method="average", optimal_ordering=True)
    leaves = leaves_list(tree).astype(np.int64)
    raw = fcluster(tree, t=max(1, count), criterion="maxclust")
    number = {label: i for i, label in enumerate(dict.fromkeys(raw[leaves].tolist()))}
    return Clusters(leaves, np.array([number[label] for label in raw.tolist()], np.int64))


# --- Where the model is wrong --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Triple:
    """A sentence, one that means the same in other words, one that looks alike and means something else."""

    sentence: str
    same: str
    different: str
    kind: str = "Your own"


@dataclass(frozen=True, slots=True)
class ChallengeSet:
    """Triples of one known difficulty (a challenge set: Isabelle, Cherry and Foster 2017)."""

    key: str
    title: str
    why: str
    source: str
    triples: tuple[Triple, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Cosines (m,) of each triple's sentence with `same` and with `different`."""

    triples: tuple[Triple, ...]
    same: FloatArray
    different: FloatArray

    @property
    def wrong(self) -> np.ndarray:
        """(m,) bool: what only looks alike is at least as close as what means the same."""
        return self.different >= self.same

    def share_wrong(self) -> dict[str, tuple[int, int]]:
        """Kind -> (how many are wrong, how many there are), in the order of the triples."""
        found: dict[str, tuple[int, int]] = {}
        for triple, wrong in zip(self.triples, self.wrong.tolist()):
            bad, count = found.get(triple.kind, (0, 0))
            found[triple.kind] = (bad + int(wrong), count + 1)
        return found


def judge(triples: tuple[Triple, ...], base_model: str = "minilm-l6", seed: int = 0) -> Judged:
    """Ask the model about every triple. Raises InputError when the model cannot be loaded."""
    texts = [text for t in triples for text in (t.sentence, t.same, t.different)]
    z = pooled(texts, base_model, seed).reshape(len(triples), 3, -1)
    return Judged(triples, row_cosines(z[:, 0], z[:, 1]), row_cosines(z[:, 0], z[:, 2]))


@cache
def challenge_sets(folder: Path = CHALLENGE_SETS) -> tuple[ChallengeSet, ...]:
    """The challenge sets in their order. Raises InputError, naming the file, for a bad one."""
    return tuple(one for _, one in sorted((_read(file) for file in folder.glob("*.toml")), key=_place))


def _place(entry: tuple[int, ChallengeSet]) -> tuple[int, str]:
    return entry[0], entry[1].key


def _read(file: Path) -> tuple[int, ChallengeSet]:
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
        title = str(data["title"])
        triples = tuple(Triple(*_three(file, i, row), kind=title) for i, row in enumerate(data["triples"], 1))
        return int(data["order"]), ChallengeSet(file.stem, title, data["why"], data["source"], triples)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{file.name} is not valid TOML: {error}.") from error
    except KeyError as error:
        raise InputError(
            f"{file.name} has no {error.args[0]!r}. It needs title, order, why, source, triples."
        ) from error


def _three(file: Path, number: int, row: object) -> tuple[str, str, str]:
    if not (isinstance(row, list) and len(row) == 3 and all(isinstance(t, str) and t.strip() for t in row)):
        raise InputError(f"{file.name}, row {number}: a row is three texts: sentence, same, different.")
    return row[0], row[1], row[2]


def parse_triples(text: str) -> tuple[Triple, ...]:
    r"""Lines `sentence | means the same | only looks alike`; blank lines are skipped, \| is a | in a text.

    Raises InputError, naming the line, when one has not three parts or is too long.
    """
    found: list[Triple] = []
    for number, line in enumerate(lines_of(text), start=1):
        if is_blank(line):
            continue
        parts = [clean(part) for part in split_bars(line)]
        if len(parts) != 3 or not all(parts):
            raise InputError(
                f"Line {number:,} has {len([p for p in parts if p])} of the three texts it needs. Write: "
                "sentence | means the same | only looks alike."
            )
        if max(map(len, parts)) > MAX_CHARACTERS:
            raise InputError(
                f"Line {number:,}: a text has more than {MAX_CHARACTERS:,} characters. Shorten it."
            )
        found.append(Triple(*parts))
    if len(found) > MOST_TRIPLES:
        raise InputError(f"There are {len(found):,} lines; at most {MOST_TRIPLES} are taken. Leave some out.")
    return tuple(found)
