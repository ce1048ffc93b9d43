"""What the commands of the command line read with: files, models, notices, a progress bar."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from .data.columns import Choice
from .data.files import naming, read_bytes
from .data.pair_files import ParsedPairs
from .models.cross_encoder import LIKENESS, RELEVANCE
from .models.embedding import Unread
from .types import FloatArray, Notice, Sentence, SentenceSet

if TYPE_CHECKING:
    from .models.encoder import Encoder

PART = 512  # texts embedded at once; those of like length share a batch
JOINT = (LIKENESS, RELEVANCE)  # what stands beside the base models where pairs are scored
T = TypeVar("T")
Scorer = Callable[[Sequence[str], Sequence[str]], FloatArray]


def choice(header: bool | None, columns: str) -> Choice:
    return Choice(header, tuple(filter(None, (name.strip() for name in columns.split(",")))))


def tell(where: str, notices: Iterable[Notice]) -> None:
    """What was noticed, on standard error."""
    for notice in notices:
        typer.echo(notice.said(where), err=True)


def read_pairs(file: Path, choice: Choice) -> ParsedPairs:
    from .data.pair_files import parse_pair_table

    data = read_bytes(file)
    with naming(file):
        return parse_pair_table(data, file.name, SentenceSet((), file.stem, file.name), choice)


@contextmanager
def sentences_of(file: Path, choice: Choice) -> Iterator[tuple[Iterable[Sentence], int]]:
    """The sentences of a file and how many; each has been looked at once before the work begins."""
    from .data.files import SentenceFile, rereadable

    with rereadable(file) as kept:
        with naming(kept):
            sentences = SentenceFile(kept, choice)
            count, told = sentences.survey()
        tell(kept.name, told)
        yield sentences, count


def allowed(model: str) -> str:
    """The key of a model. A folder named on one's own command line may always be used."""
    from .models import registry

    if Path(model).is_dir():
        registry.allow(model)
    return model


def encoder(model: str) -> Encoder:
    """The model of a key or folder."""
    from .models import registry

    return registry.load(allowed(model))


def counted(model: Encoder, **settings: Any) -> tuple[Callable[[Sequence[str]], FloatArray], Unread]:
    """A function from m texts to their embeddings (m, d), and what of all texts the model does not read."""
    unread = Unread(model)

    def encode(texts: Sequence[str]) -> FloatArray:
        unread.add(texts)
        return model.encode(texts, **settings)

    return encode, unread


def pair_scorer(model: str) -> tuple[str, Scorer, Callable[[], tuple[Notice, ...]]]:
    """The numbers' name, a function from m left and m right texts to m numbers, and what was not read."""
    from .models import cross_encoder
    from .vectors import pair_cosines

    if model not in JOINT:
        encode, unread = counted(encoder(model))

        def cosines(left: Sequence[str], right: Sequence[str]) -> FloatArray:
            m = len(left)
            return pair_cosines(encode([*left, *right]), [(i, m + i) for i in range(m)])

        return "cosine", cosines, lambda: unread.notices
    score = cross_encoder.score_likeness if model == LIKENESS else cross_encoder.score_relevance
    cut = 0

    def joint(left: Sequence[str], right: Sequence[str]) -> FloatArray:
        nonlocal cut
        found = score(list(zip(left, right)))
        cut += len(found.truncated)
        return found.scores

    return model, joint, lambda: cut_pairs(cut)


def cut_pairs(count: int) -> tuple[Notice, ...]:
    from .data.text import plural

    what = plural(count, "pair has", "pairs have")
    return (Notice(f"{count:,} {what} more tokens than this model reads; the end is cut."),) if count else ()


def parts(rows: Iterable[T], total: int, quiet: bool = False) -> Iterator[list[T]]:
    """PART rows at a time, with a progress bar."""
    from .data.files import in_parts

    with progress(total, "Embedding", quiet) as advance:
        for some in in_parts(rows, PART):
            yield some
            advance(len(some))


@contextmanager
def progress(total: int, label: str, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error; nothing is drawn where that is no terminal."""
    with typer.progressbar(length=total, label=label, file=sys.stderr, hidden=quiet) as bar:
        yield bar.update
