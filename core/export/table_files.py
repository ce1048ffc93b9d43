"""What one takes home as tables: embeddings as CSV, Parquet or npz, files for the Embedding Projector, pairs.

Texts in a CSV are defused (core.data.separated), so that no spreadsheet calculates what somebody typed.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import IO, Any

import numpy as np

from ..data.files import in_parts
from ..data.separated import csv_bytes, write_rows
from ..data.text import spaced
from ..types import FloatArray, Pair, Sentence, SentenceSet

TEXTS_AT_ONCE = 1_000
DIGITS = 9  # significant decimal digits that give back every float32 exactly


def embeddings(ending: str, sentences: SentenceSet, z: FloatArray) -> bytes:
    """A file of all sentences and their embeddings (n, d) in the format of a row of EMBEDDINGS."""
    out = io.BytesIO()
    EMBEDDINGS[ending](out, sentences.sentences, (z,))
    return out.getvalue()


def write_csv(out: IO[bytes], sentences: Iterable[Sentence], parts: Iterable[FloatArray]) -> None:
    """id, text, group, then one column a dimension. Numbers read back to the same float32."""
    first, parts = _peek(parts)
    header = ["id", "text", "group", *(f"e{i}" for i in range(first.shape[1]))]
    rows = (
        [s.id, s.text, s.group or "", *z] for s, z in zip(sentences, chain.from_iterable(parts), strict=True)
    )
    write_rows(out, header, rows)


def write_parquet(out: IO[bytes], sentences: Iterable[Sentence], parts: Iterable[FloatArray]) -> None:
    """Columns id, text, group and embedding, a list of float32. Texts are kept as they are."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    first, parts = _peek(parts)
    vector = pa.list_(pa.float32(), first.shape[1])
    fields = {"id": pa.string(), "text": pa.string(), "group": pa.string(), "embedding": vector}
    rest = iter(sentences)
    with pq.ParquetWriter(out, pa.schema(fields)) as writer:
        for z in parts:
            some = list(islice(rest, len(z)))
            flat = pa.array(np.ascontiguousarray(z, np.float32).reshape(-1))
            columns = [
                pa.array([s.id for s in some]),
                pa.array([s.text for s in some]),
                pa.array([s.group for s in some], pa.string()),
                pa.FixedSizeListArray.from_arrays(flat, z.shape[1]),
            ]
            writer.write_table(pa.table(columns, schema=writer.schema))


def write_npz(out: IO[bytes], sentences: Iterable[Sentence], parts: Iterable[FloatArray]) -> None:
    """Arrays embeddings (n, d) float32, ids, texts and groups; numpy.load reads it without pickles.

    `sentences` are gone through several times: an array's header says how many there are and the longest.
    """
    first, parts = _peek(parts)
    texts: dict[str, Callable[[Sentence], str]] = {
        "ids": lambda s: s.id,
        "texts": lambda s: s.text,
        "groups": lambda s: s.group or "",
    }
    count, widths = 0, dict.fromkeys(texts, 1)
    for sentence in sentences:
        count += 1
        widths = {name: max(width, len(texts[name](sentence))) for name, width in widths.items()}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        vectors = (np.ascontiguousarray(z, np.float32) for z in parts)
        _array(archive, "embeddings", np.dtype(np.float32), (count, first.shape[1]), vectors)
        for name, of in texts.items():
            kind = np.dtype((np.str_, widths[name]))
            some = in_parts(map(of, sentences), TEXTS_AT_ONCE)
            _array(archive, name, kind, (count,), (np.array(part, kind) for part in some))


def _array(
    archive: zipfile.ZipFile, name: str, kind: Any, shape: tuple[int, ...], parts: Iterable[np.ndarray]
) -> None:
    """One member as numpy.savez writes it, part after part."""
    header = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
        np.lib.format.write_array_header_1_0(member, header)
        for part in parts:
            member.write(part.tobytes())


# Each writes a file of embeddings whose parts (m, d) come one after the other, in the order of the sentences.
Writer = Callable[[IO[bytes], Iterable[Sentence], Iterable[FloatArray]], None]
EMBEDDINGS: dict[str, Writer] = {".csv": write_csv, ".parquet": write_parquet, ".npz": write_npz}


def _peek(parts: Iterable[FloatArray]) -> tuple[FloatArray, Iterator[FloatArray]]:
    """The first part, and all of them."""
    rest = iter(parts)
    first = next(rest)
    return first, chain([first], rest)


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
        [text[p.left], text[p.right], p.label, word]
        for word, pairs in (("train", train), ("measure", held_out))
        for p in pairs
    )
    return csv_bytes(["left", "right", "label", "used_to"], rows)
