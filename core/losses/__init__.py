"""The losses: one file each, a pure function of embeddings and row indices, and the table of all of them.

A new loss is one new file here that ends with a `LOSS` row; the table finds it. Batches and steps belong to
core/training. Importing this package does not load torch, so a page can show the formulas at once.
"""

from __future__ import annotations

import importlib
import pkgutil

from .base import Batch, Loss, LossSettings, LossTerms


def _find() -> dict[str, Loss]:
    helpers = {"base", "forces", "gradient"}
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.name not in helpers]
    rows: list[Loss] = [importlib.import_module(f"{__name__}.{name}").LOSS for name in names]
    assert len({row.key for row in rows}) == len(rows), "two losses share a key"
    return {row.key: row for row in sorted(rows, key=lambda row: (row.order, row.key))}


LOSSES: dict[str, Loss] = _find()

__all__ = ["LOSSES", "Batch", "Loss", "LossSettings", "LossTerms"]
