"""The package `embedding_lab` of an editable install: the checkout itself. A wheel has it all instead."""

from pathlib import Path

__path__ = [str(Path(__file__).resolve().parents[3])]
