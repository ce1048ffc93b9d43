"""Classification of a collection: what the page shows is computed by a worker that reads the vectors' file.

Apart from core/concepts/classification.py, which knows arrays only and does the computing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from ..retrieval import collection, embedding_run
from ..retrieval.collection import Collection
from ..types import FloatArray, IntArray
from . import classification
from .classification import Labelled, Split

P = ParamSpec("P")
R = TypeVar("R")


def labelled(found: Collection) -> Labelled:
    """Its texts, read as they are asked for, and their classes. Raises InputError as `checked`."""
    return classification.checked(Labelled(found.texts, (), found.codes, found.classes))


def compute(
    function: Callable[Concatenate[FloatArray, IntArray, Split, P], R],
    folder: str,
    base_model: str,
    seed: int,
    *args: P.args,
    **more: P.kwargs,
) -> R:
    """`function(z, codes, parts, ...)`, one of core/concepts/classification.py, of an embedded collection."""
    codes = collection.opened(folder).codes
    z = embedding_run.vectors(folder, base_model)
    return function(z, codes, classification.split(codes, seed), *args, **more)
