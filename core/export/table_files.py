"""What one takes home as tables: embeddings as CSV, Parquet or npz, files for the Embedding Projector, pairs.

Texts in a CSV are defused (core.data.text.safe_cell), so that no spreadsheet calculates what somebody typed.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..data.text import safe_cell, spaced
from ..types import FloatArray, Pair, SentenceSet

DIGITS = 9  # significant decimal digits that give back every float32 exactly


def embeddings_csv(sentences: SentenceSet, embeddings: FloatArray) -> bytes:
    """id, text, group, then one column a dimension. Numbers read back to the same float32."""
    names = [f"e{i}" for i in range(embeddings.shape[1])]
    rows = (
        [s.id, safe_cell(s.text), safe_cell(s.group or ""), *(f"{x:.{DIGITS}g}" for x in z)]
        for s, z in zip(sentences.sentences, embeddings, strict=True)
    )
    return _csv(["id", "text", "group", *names], rows)


def embeddings_parquet(sentences: SentenceSet, embeddings: FloatArray) -> bytes:
    """Columns id, text, group and embedding, a list of float32. Texts are kept as they are."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    flat = pa.array(np.ascontiguousarray(embeddings, np.float32).reshape(-1))
    table = pa.table(
        {
            "id": pa.array(sentences.ids, pa.string()),
            "text": pa.array(sentences.texts, pa.string()),
            "group": pa.array(sentences.groups, pa.string()),
            "embedding": pa.FixedSizeListArray.from_arrays(flat, embeddings.shape[1]),
        }
    )
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def embeddings_npz(sentences: SentenceSet, embeddings: FloatArray) -> bytes:
    """Arrays embeddings (n, d) float32, ids, texts and groups; numpy.load reads it without pickles."""
    out = io.BytesIO()
    np.savez_compressed(
        out,
        embeddings=np.asarray(embeddings, np.float32),
        ids=np.array(sentences.ids, np.str_),
        texts=np.array(sentences.texts, np.str_),
        groups=np.array([g or "" for g in sentences.groups], np.str_),
    )
    return out.getvalue()


def projector_zip(sentences: SentenceSet, embeddings: FloatArray) -> bytes:
    """vectors.tsv and metadata.tsv as https://projector.tensorflow.org takes them under Load."""
    vectors = "\n".join("\t".join(f"{x:.{DIGITS}g}" for x in z) for z in embeddings) + "\n"
    lines = ["text\tgroup", *(f"{spaced(s.text)}\t{spaced(s.group or '')}" for s in sentences.sentences)]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("vectors.tsv", vectors)
        archive.writestr("metadata.tsv", "\n".join(lines) + "\n")
    return out.getvalue()


def pairs_csv(sentences: SentenceSet, train: Sequence[Pair], held_out: Sequence[Pair]) -> bytes:
    """left, right, label, used_to: "train" or "measure"."""
    text = {s.id: s.text for s in sentences.sentences}
    rows = (
        [safe_cell(text[p.left]), safe_cell(text[p.right]), f"{p.label:g}", word]
        for word, pairs in (("train", train), ("measure", held_out))
        for p in pairs
    )
    return _csv(["left", "right", "label", "used_to"], rows)


def _csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode("utf-8-sig")  # with a mark, so that spreadsheets read every script
