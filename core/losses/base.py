"""What every loss takes and gives, and the cosine they share.

Apart from the losses so that each of them is one formula in one file. Nothing here loads torch until
a loss is computed: the pages show titles and formulas from a process that never imports it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Needs = Literal["labelled", "triplets", "positives", "unlabelled"]
# The defaults of TrainingConfig; a test holds the two together.
DEFAULT_MARGIN = 0.5
DEFAULT_TEMPERATURE = 0.05
DEFAULT_CONCATENATION = "u,v,|u-v|"


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Which rows of z belong together. All index tensors are int64 rows of z, shape (b,).

    `label` (b,) float in [0, 1]: 1 similar, 0 dissimilar. `negative` (b,): one explicit hard negative
    for each left row, where the loss takes one. `known` (b, c) bool, c = b, or 2 b with `negative`: True
    where candidate j (the right rows, then the negative rows) is known to be similar to left row i, so
    that losses which take the other rows of the batch as negatives leave it out.
    """

    left: Tensor
    right: Tensor
    label: Tensor
    negative: Tensor | None = None
    known: Tensor | None = None

    def __post_init__(self) -> None:
        assert self.left.ndim == 1 and len(self.left) > 0, "a batch holds at least one pair"
        assert self.left.shape == self.right.shape == self.label.shape, (
            "left, right and label differ in length"
        )
        assert self.negative is None or self.negative.shape == self.left.shape, (
            "one negative for each left row"
        )

    @classmethod
    def of(
        cls,
        left: Sequence[int],
        right: Sequence[int],
        label: Sequence[float] | None = None,
        negative: Sequence[int] | None = None,
    ) -> Batch:
        """From plain lists; without labels every pair is similar.

        >>> Batch.of([0, 2], [1, 3]).label
        tensor([1., 1.])
        """
        import torch

        return cls(
            torch.tensor(left, dtype=torch.int64),
            torch.tensor(right, dtype=torch.int64),
            torch.ones(len(left)) if label is None else torch.tensor(label, dtype=torch.float32),
            None if negative is None else torch.tensor(negative, dtype=torch.int64),
        )

    def to(self, device: torch.device) -> Batch:
        """The same on that device."""
        parts = (self.left, self.right, self.label, self.negative, self.known)
        return Batch(*(None if part is None else part.to(device) for part in parts))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, eq=False)
class LossSettings:
    """What a loss can be told. Each loss names the fields it reads in `Loss.uses`.

    `margin` is a cosine distance (0, 2]; 0.5 can be reached by unit vectors, unlike Euclidean defaults
    of 5. `temperature` > 0 divides cosines; 0.05 is sentence-transformers' scale of 20. `concatenation`
    is one of softmax.CONCATENATIONS. `head` (classes, k d) and `head_bias` (classes,) are the softmax
    loss's classifier over its k parts.
    """

    margin: float = DEFAULT_MARGIN
    temperature: float = DEFAULT_TEMPERATURE
    concatenation: str = DEFAULT_CONCATENATION
    head: Tensor | None = None
    head_bias: Tensor | None = None

    def __post_init__(self) -> None:
        assert self.margin >= 0.0, f"margin {self.margin} is negative"
        assert self.temperature > 0.0, f"temperature {self.temperature} is not positive"


@dataclass(frozen=True, slots=True, eq=False)
class LossTerms:
    """A loss as it was computed, with the graph node through which it sees the embeddings.

    `value` () is the loss. `similarity` (m,) holds the cosines it is a function of, `pairs` (m, 2) the
    rows of z each belongs to; a pair may occur more than once. Where the loss is no function of cosines
    (softmax), `similarity` is None and `sides` holds the vectors (u, v), both (m, d), instead.
    core.losses.forces reads either.
    """

    value: Tensor
    similarity: Tensor | None
    pairs: Tensor
    sides: tuple[Tensor, Tensor] | None = None


Compute = Callable[["Tensor", Batch, LossSettings], LossTerms]


@dataclass(frozen=True, slots=True)
class Loss:
    """One row of the table of losses.

    `needs` says which data it learns from: labelled pairs, triplets (anchor, positive, negative),
    positive pairs alone, or sentences without any label. `uses` names the settings of a run it reads.
    `order` is its place in a menu, simplest first. `has_head`: it trains a classifier of its own, given
    as LossSettings.head and head_bias.
    """

    key: str
    title: str
    formula: str  # LaTeX
    source: str
    needs: Needs
    summary: str
    uses: tuple[str, ...]
    compute: Compute
    order: int
    has_head: bool = False


def pair_cosines(z: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Cosine of z[left] and z[right], (m,), each in [-1, 1] up to rounding."""
    from torch.nn.functional import normalize

    units = normalize(z, dim=1)  # (n, d)
    # index_select, not units[left]: its gradient adds up in a fixed order, so a run repeats bit for bit.
    return (units.index_select(0, left) * units.index_select(0, right)).sum(dim=1)


def as_pairs(left: Tensor, right: Tensor) -> Tensor:
    """Two index vectors (m,) as rows of pairs (m, 2)."""
    import torch

    return torch.stack((left, right), dim=1)
