"""The vectors of a collection, computed batch by batch into a memory-mapped file, as a run like any other.

So it takes turns with those who train, shows its place in line and the time left, goes on while its page is
left, and can be stopped and gone on with: what is done stands in the file.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.folders import no_room
from ..models.embedding import Unread
from ..training.trainer import Trainer
from ..types import FloatArray, InputError, Notice
from .collection import Texts

if TYPE_CHECKING:
    from ..models.encoder import Encoder

BATCH_TEXTS, BATCH_BYTES = 128, 8_000  # of a batch, the longest text times their number: a fifth of a second
SEED = 0  # of the order of batches


@dataclass(frozen=True, slots=True)
class Embedding:
    """What is to be embedded: the texts in a collection's folder, by a base model. Vectors of length 1."""

    folder: str
    base_model: str

    def trainer(self, resume: Path | None = None) -> Embedder:
        from ..models import registry

        return Embedder(self, registry.load(self.base_model))


@dataclass(frozen=True, slots=True)
class Embedded:
    """How far it is."""

    texts: int
    seconds: float


class Embedder(Trainer[Embedded]):
    """A step is a text, though a batch of them is made at a time.

    Texts of equal length share a batch, which wastes nothing on padding; the batches come in any order, so
    that what is left takes as long for each text as what is done.
    """

    def __init__(self, task: Embedding, encoder: Encoder) -> None:
        folder = Path(task.folder)
        if not folder.is_dir():
            raise InputError(
                "These texts are no longer on the server: upload the file again. On a cluster the "
                "machines have to share the server's temporary folder (TMPDIR)."
            )
        self.task, self.encoder, self.texts = task, encoder, Texts(folder)
        self.batches = batches(self.texts.lengths().astype(np.int64))
        self.steps = len(self.texts)
        self.unread = Unread(encoder)
        self._progress = _progress_file(task)
        file = vectors_file(task.folder, task.base_model)
        try:
            if not file.exists():
                self._progress.unlink(missing_ok=True)
                part = file.with_suffix(".part")
                np.lib.format.open_memmap(part, "w+", np.float32, (self.steps, encoder.dim)).flush()
                part.rename(file)
            self.z = np.lib.format.open_memmap(file, "r+")
        except OSError as error:
            raise InputError(no_room(folder, error)) from error
        known = progress(task)
        self.next = 0 if known is None else known["batches"]
        self.step = sum(map(len, self.batches[: self.next]))
        if known is not None:
            self.unread.restore(known["unread"])

    def advance(self) -> None:
        """One batch, on disk when it returns."""
        began = time.perf_counter()
        rows = self.batches[self.next]
        texts = [self.texts[int(i)] for i in rows]
        self.z[rows] = self.encoder.encode(texts, batch_size=BATCH_TEXTS)
        self.unread.add(texts)
        self.next += 1
        self.step += len(rows)
        if self.step == self.steps:
            self.z.flush()
        part = self._progress.with_suffix(".part.json")
        told = [asdict(notice) for notice in self.unread.notices]
        known = {"batches": self.next, "texts": self.step, "unread": self.unread.state(), "notices": told}
        part.write_text(json.dumps(known))
        part.rename(self._progress)
        self.seconds += time.perf_counter() - began

    def is_due(self) -> bool:
        return self.step in (0, self.steps)

    def snapshot(self) -> Embedded:
        return Embedded(self.step, self.seconds)

    def save(self, file: Path) -> None:
        """All of it is on disk already; the file says only that there is something to go on from."""
        file.write_text(str(self.next))


def batches(lengths: np.ndarray) -> list[np.ndarray]:
    """Rows of equal length in batches, in an order that is the same every time."""
    order = np.argsort(lengths, kind="stable")
    found, begin = [], 0
    while begin < len(order):
        end = begin + BATCH_TEXTS
        # A batch costs its longest text for each of its texts.
        while end > begin + 1 and lengths[order[min(end, len(order)) - 1]] * (end - begin) > BATCH_BYTES:
            end -= (end - begin + 1) // 2
        found.append(np.sort(order[begin:end]))
        begin = end
    shuffled = np.random.default_rng(SEED).permutation(len(found))
    return [found[i] for i in shuffled]


def vectors_file(folder: str, base_model: str) -> Path:
    return Path(folder) / f"vectors-{_plain(base_model)}.npy"


def _progress_file(task: Embedding) -> Path:
    """Says how much is in the vectors' file."""
    return vectors_file(task.folder, task.base_model).with_suffix(".progress.json")


def progress(task: Embedding) -> dict[str, Any] | None:
    """What its file says: batches and texts that are done, and what was noticed; None before the first."""
    try:
        found: dict[str, Any] = json.loads(_progress_file(task).read_text())
    except OSError:
        return None
    return found


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name)


def embedded(task: Embedding, texts: int) -> tuple[Notice, ...] | None:
    """What of the texts the model does not read, once all of them have their vector; None before."""
    known = progress(task)
    if known is None or known["texts"] < texts:
        return None
    return tuple(Notice(n["text"], tuple(n["lines"]), n["count"]) for n in known["notices"])


def vectors(folder: str, base_model: str) -> FloatArray:
    """The vectors (n, d) of a collection that is embedded, read from the file as they are needed."""
    found: FloatArray = np.load(vectors_file(folder, base_model), mmap_mode="r")
    return found
