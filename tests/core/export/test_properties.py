"""Round trips for whatever a run may hold: run files, exact differences of weights, tables of pairs."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.data.pair_files import parse_pair_table
from core.data.sentences import parse_table, sentence_id
from core.data.text import clean, is_blank, same_text
from core.export import npy, table_files
from core.export.run_file import RunFile, pack, unpack
from core.export.run_file_weights import applied, difference
from core.types import (
    Forces,
    Frame,
    Metrics,
    Pair,
    Run,
    RunStatus,
    Sentence,
    SentenceSet,
    Snapshot,
    TrainingConfig,
)

texts = (
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).map(clean).filter(bool)
)
marks = st.sampled_from("'=+-@,;|\"\\＝ a")
hostile = st.text(st.one_of(marks, st.characters(exclude_categories=["Cs", "Cc"])), min_size=1, max_size=12)
hostile = hostile.map(clean).filter(lambda text: not is_blank(text))
floats = st.floats(-1, 1, width=32)
measures = st.none() | st.floats(-8, 8)


@st.composite
def runs(draw) -> Run:
    found = draw(st.lists(texts, min_size=1, max_size=5, unique=True))
    group = st.none() | texts
    sentences = SentenceSet(
        tuple(Sentence(sentence_id(t, i), t, draw(group)) for i, t in enumerate(found)), draw(texts)
    )
    n, d = len(found), draw(st.integers(1, 4))
    steps = sorted(draw(st.sets(st.integers(0, 500), min_size=1, max_size=4)))
    ends = st.sampled_from(sentences.ids)
    some_pairs = st.lists(st.builds(Pair, ends, ends, st.floats(0, 1)), max_size=4).map(tuple)

    def forces() -> Forces:
        m = draw(st.integers(0, 3))
        rows = draw(arrays(np.int64, (m, 2), elements=st.integers(0, n - 1)))
        return Forces(rows, draw(arrays(np.float32, m, elements=floats)))

    snapshots = tuple(
        Snapshot(
            step,
            draw(st.just(math.nan) | st.floats(0, 100)),
            draw(arrays(np.float32, (n, d), elements=floats)),
            forces(),
            Metrics(*(draw(measures) for _ in range(6))),
            draw(st.floats(0, 1e6)),
        )
        for step in steps
    )
    dims = draw(st.sampled_from([2, 3]))
    frames = tuple(
        Frame(
            step,
            draw(arrays(np.float32, (n, dims), elements=floats)),
            draw(arrays(np.float32, n, elements=st.floats(0, 1, width=32))),
            draw(st.none() | st.floats(0, 1)),
            "pca",
        )
        for step in draw(st.sampled_from([[], steps]))
    )
    config = TrainingConfig(steps=max(1, steps[-1]), seed=draw(st.integers(0, 9999)))
    forked = draw(st.none() | st.tuples(st.just("abcd"), st.integers(0, 9)))
    return Run(
        "id", config, sentences, draw(some_pairs), draw(some_pairs), snapshots, frames, forked_from=forked
    )


@settings(max_examples=40, deadline=None)
@given(runs(), texts, texts)
def test_a_run_file_gives_back_the_run(run, title, note):
    kept = unpack(pack(RunFile(run, title, note)))
    back = kept.run
    assert (kept.title, kept.note, kept.weights) == (title, note, None)
    assert (back.config, back.sentences, back.pairs, back.held_out, back.forked_from) == (
        run.config,
        run.sentences,
        run.pairs,
        run.held_out,
        run.forked_from,
    )
    assert back.status is (RunStatus.FINISHED if run.step >= run.config.steps else RunStatus.STOPPED)
    for a, b in zip(run.snapshots, back.snapshots, strict=True):
        assert (a.step, a.metrics, a.seconds) == (b.step, b.metrics, b.seconds)
        assert a.loss == b.loss or (math.isnan(a.loss) and math.isnan(b.loss))
        assert a.embeddings.tobytes() == b.embeddings.tobytes()
        assert np.array_equal(a.forces.rows, b.forces.rows)
        assert a.forces.values.tobytes() == b.forces.values.tobytes()
    for a, b in zip(run.frames, back.frames, strict=True):
        assert (a.step, a.method, a.trustworthiness) == (b.step, b.method, b.trustworthiness)
        assert a.xy.tobytes() == b.xy.tobytes() and a.trust.tobytes() == b.trust.tobytes()


@given(
    arrays(np.float32, 16, elements=st.floats(width=32)), arrays(np.float32, 16, elements=st.floats(width=32))
)
def test_base_plus_difference_is_tuned_to_the_last_bit(base, tuned):
    assert applied(base, difference(tuned, base)).tobytes() == tuned.tobytes()


@given(st.dictionaries(st.sampled_from("abc"), arrays(np.float32, st.tuples(st.integers(0, 4), st.just(3)))))
def test_arrays_come_back_and_numpy_reads_them_too(given_):
    data = npy.pack(given_)
    found = npy.unpack(data, 10**6)
    assert found.keys() == given_.keys()
    with np.load(io.BytesIO(data), allow_pickle=False) as theirs:
        for name, array in given_.items():
            assert array.tobytes() == found[name].tobytes() == theirs[name].tobytes()


@settings(max_examples=40, deadline=None)
@given(st.lists(texts, min_size=2, max_size=6, unique=True))
def test_no_cell_of_a_table_is_a_formula(found):
    sentences = SentenceSet(tuple(Sentence(str(i), t, t) for i, t in enumerate(found)))
    z = np.eye(len(found), 3, dtype=np.float32)
    chain = tuple(Pair(str(i), str(i + 1), 1.0) for i in range(len(found) - 1))
    tables = (table_files.embeddings(".csv", sentences, z), table_files.pairs_csv(sentences, chain, ()))
    for data in tables:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
        cells = [cell for row in rows[1:] for cell in row[:3] if not cell.replace(".", "").isdigit()]
        assert not [cell for cell in cells if cell.lstrip()[:1] in ("=", "+", "-", "@")]
    assert len(rows) == len(found)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(hostile, st.none() | hostile), min_size=2, max_size=6))
def test_tables_are_read_back_as_they_were_written(rows):
    """Texts, groups, ids and vectors, whatever a text begins with."""
    occurrences: Counter[str] = Counter()
    found = []
    for text, group in rows:
        found.append(Sentence(sentence_id(text, occurrences[sentence_id(text)]), text, group))
        occurrences[sentence_id(text)] += 1
    given_ = SentenceSet(tuple(found))
    z = np.random.default_rng(0).normal(size=(len(found), 3)).astype(np.float32)
    for ending in (".csv", ".parquet"):
        data = table_files.embeddings(ending, given_, z)
        assert parse_table(data, f"z{ending}").sentence_set.sentences == given_.sentences
    written = table_files.embeddings(".csv", given_, z).decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(written, newline="")))
    assert (np.array([line[3:] for line in lines[1:]], np.float32) == z).all()
    unique = {same_text(s.text): s for s in reversed(found)}  # a copy of a text is read as the first
    ends = list(unique.values())
    train = tuple(Pair(a.id, b.id, 0.1 + 0.2) for a, b in pairwise(ends))
    if train:
        read = parse_pair_table(table_files.pairs_csv(given_, train, ()), "p.csv", given_)
        assert read.pairs == train and read.sentence_set.sentences == given_.sentences
