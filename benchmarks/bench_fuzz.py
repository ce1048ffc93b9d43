"""Mutated run files, lessons, decks, links, tables, progress: each is read, or refused in one sentence.

Seeded, so that a finding comes again. Anything but InputError, an answer that no screen can show, or an input
that takes more of the processor's time than SLOW is printed with its number and ends in an error.

    python -m benchmarks.bench_fuzz [--inputs 20000] [--seed 17] [--only tables]
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import logging
import os
import random
import sys
import time
import traceback
import zipfile
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.cards import built_in, parse, schedule
from core.cards.decks.files import read_file
from core.cards.export import to_apkg
from core.cards.types import Rating
from core.concepts.triplets import parse_triplets
from core.data.assets import ASSETS
from core.data.columns import Choice
from core.data.sentence_sets import list_sets
from core.data.sentences import parse_pair_table, parse_pairs, parse_sentences, parse_table
from core.data.separated import csv_bytes
from core.export import run_file
from core.lessons import reader
from core.lessons.progress import from_json as lesson_progress
from core.retrieval.corpus import parse_passages, parse_questions
from core.storage import learners, study, transfer
from core.storage.database import Database
from core.training.nli import parse as parse_nli
from core.types import (
    Forces,
    Frame,
    InputError,
    Metrics,
    Pair,
    Run,
    RunStatus,
    SentenceSet,
    Snapshot,
    TrainingConfig,
)
from ui import state

SLOW = 1.0  # seconds of processor time for one input
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NASTY = (
    b"[",
    b"[[",
    b"{",
    b"]",
    b'"',
    b'"""',
    b"'''",
    b".",
    b"a.",
    b"\\",
    b"\\ud800",
    b"\xed\xa0\x80",
    b"\x00",
    b"\n",
    b"\r",
    b"=",
    b"-1",
    b"9" * 400,
    b"1e999",
    b"NaN",
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"\xff\xfe",
    b"|",
    b"\t",
    b"PK\x05\x06",
    b"0001-01-01T00:00:00+14:00",
    b"9999-12-31T23:59:59-12:00",
    b"x??",
    b"??x",
    b":p ",
    b"####",
    b"\xe2\x80\xae",
)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """A few cuts, flips, repeats and insertions."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        at, kind = rng.randrange(len(out) + 1), rng.randrange(7)
        end = min(len(out), at + rng.choice((1, 2, 4, 16, 200)))
        if kind == 0:
            del out[at:end]
        elif kind == 1 and at < len(out):
            out[at] ^= 1 << rng.randrange(8)
        elif kind == 2:
            out[at:at] = rng.choice(NASTY) * rng.choice((1, 1, 2, 50, 5_000))
        elif kind == 3:
            out[at:at] = out[at:end] * rng.choice((1, 3, 100))
        elif kind == 4:
            del out[at:]
        elif kind == 5:
            del out[: rng.choice((1, 2, 30))]
        else:
            out[at:end] = rng.randbytes(end - at)
        if not out:
            return b""
    return bytes(out[:3_000_000])


def changed(value: object, rng: random.Random) -> object:
    """JSON with one of its values exchanged for one of another kind, a size or a place further down."""
    odd = (
        None,
        True,
        -1,
        0,
        2**70,
        1e300,
        "",
        "x" * 5_000,
        "\ud800",
        [],
        {},
        [[1]],
        {"a": 1},
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-12:00",
        "\u202e<b>",
    )
    if isinstance(value, dict) and value and rng.random() < 0.95:
        key = rng.choice(list(value))
        if rng.random() < 0.1:
            return {k: v for k, v in value.items() if k != key}
        return value | {key: changed(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.95:
        at = rng.randrange(len(value))
        return [*value[:at], changed(value[at], rng), *value[at + rng.choice((1, 1, 1, 0)) :]]
    return rng.choice(odd)


def run_bytes() -> bytes:
    """A small run file of eight sentences and three snapshots, made without a model."""
    sentences = parse_sentences("\n".join(f"{'ab'[i % 2]} | Sentence {i}." for i in range(8))).sentence_set
    some = np.random.default_rng(1)
    forces = Forces(np.array([[0, 1], [2, 3]]), np.array([0.5, -0.5], np.float32))
    z = some.normal(size=(3, 8, 4)).astype(np.float32)
    snapshots = tuple(Snapshot(i, 1.0, z[i], forces, Metrics(), 0.1 * i) for i in range(3))
    frames = tuple(Frame(i, z[i, :, :2].copy(), np.ones(8, np.float32), 0.9, "pca") for i in range(3))
    pairs = (Pair(sentences.ids[0], sentences.ids[2], 1.0),)
    run = Run("r", TrainingConfig(steps=2), sentences, pairs, (), snapshots, frames, RunStatus.FINISHED)
    weights = run_file.Weights(2, "0" * 64, {"layer": np.arange(6, dtype=np.int32).reshape(2, 3)})
    return run_file.pack(run_file.RunFile(run, "A title", "A note", "2026-03-02", weights))


def a_run_file(rng: random.Random, good: bytes = run_bytes()) -> object:
    if rng.random() < 0.4:
        return run_file.unpack(mutated(good, rng), "x.zip")
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as old, zipfile.ZipFile(out, "w") as new:
        spoilt = rng.choice(old.namelist())
        for name in old.namelist():
            data, packing = old.read(name), zipfile.ZIP_DEFLATED
            if name == spoilt and name == run_file.RUN and rng.random() < 0.7:
                data = json.dumps(changed(json.loads(data), rng)).encode()
            elif name == spoilt:
                data = mutated(data, rng)
                packing = rng.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2))
            new.writestr(name, data, packing)
    return run_file.unpack(mutated(out.getvalue(), rng) if rng.random() < 0.2 else out.getvalue(), "x.zip")


def text(data: bytes) -> str:
    """What the browser sends: always whole characters."""
    return data.decode("utf-8", "replace")


def parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"text": ["It rains.", None], "group": ["a", "b"], "n": [1.5, 2.0]}), out)
    return out.getvalue()


CASES = Path(os.environ.get("EMBEDDING_LAB_DATA") or ASSETS.parents[1] / "shared" / "data").parent / "cases"
OTHER_DECKS = (
    ("x.csv", b"question,answer\nWhat?,This.\n"),
    ("x.txt", b'mitosis\tcell division\n"a\tb\nc\td\n'),
    (
        "x.txt",
        b"#separator:tab\n#html:true\n#deck column:1\nA\t{{c1::x::y}} <b>z</b> [sound:a.mp3]\t<pre>1</pre>\n",
    ),
    *(("x.md", path.read_bytes()) for path in sorted(CASES.glob("deck_*.md"))),
)
LESSONS = tuple(path.read_bytes() for path in sorted((ASSETS / "lessons").glob("*.toml")))
DECKS = tuple(
    path.read_bytes() for path in sorted((ASSETS / "decks").glob("*.md")) if path.name != "README.md"
)
TABLES = (
    b'sentence,group\nIt rains.,weather\n"A, b",food\n',
    b"left\tright\tlabel\na\tb\t1\nc\td\t0.5\n",
    b"weather | It rains.\nfood | I eat.\nweather\tIt snows.\n",
    "left;right;label\nä;b;0\n".encode("utf-16"),
    b"a | b | 1\nc | d | 0\n",
    b"a | b | c\n",
    b"A dog runs. | An animal moves. | entailment\n",
    b"How? | 1, 2\n",
    b'{"text": "the tram was late", "label": "bad"}\n{"text": "so sunny", "label": null}\n',
    b'{"anchor": "a b", "positive": "c d", "negative": "e"}\n["f", "g", "h"]\n',
    "\ufeffsep=;\r\nsentence;group\r\nThe train, late;travel\r\nI like soup;food\r\n".encode(),
    "отзыв,оценка\nОчень хороший фильм,да\nПлохой сюжет,нет\nСмотрел дважды,да\nУснул,нет\n".encode("cp1251"),
    b'premise,hypothesis,label\n"A man, old",He eats,entailment\nA man,He "sleeps",2\nA man,He sits,-\n',
    b"id\tquestion1\tquestion2\tis_duplicate\n0\tHow tall?\tWhat height?\t1\n1\tWhy?\t\t4.5\n",
    *(
        csv_bytes(["group", "sentence"], [(s.group, s.text) for s in info.sentence_set.sentences])
        for info in list_sets()
    ),
    parquet(),
    *(path.read_bytes() for path in sorted(CASES.glob("*.*")) if path.suffix not in (".md",)),
)


NAMES = ("x.csv", "x.tsv", "x.txt", "x.jsonl", "x")


def a_lesson(rng: random.Random) -> object:
    lesson, problems = reader.check(text(mutated(rng.choice(LESSONS), rng)))
    return (asdict_text(lesson.model_dump()) if lesson else "", problems)


def asdict_text(value: object) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)


def a_package(rng: random.Random, good: bytes = to_apkg(built_in.load_decks()[:1], NOW)) -> bytes:
    """One of Anki's, spoilt as a zip or in its database."""
    if rng.random() < 0.2:
        return mutated(good, rng)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(
                name, mutated(old.read(name), rng) if name.startswith("collection") else old.read(name)
            )
    return out.getvalue()


def a_deck(rng: random.Random) -> object:
    if rng.random() < 0.2:
        deck, _ = read_file(a_package(rng), "x.apkg", "x")
    else:
        name, data = rng.choice(OTHER_DECKS) if rng.random() < 0.4 else ("x.md", rng.choice(DECKS))
        deck, _ = read_file(mutated(data, rng), name, "x")
    assert parse.parse(parse.write(deck), "x") == deck, "a deck must survive its own text form"
    return deck


def a_link(rng: random.Random) -> object:
    raw = json.dumps({"own_lesson": "\ud800 x", "text": "It rains."}).encode()
    raw = mutated(raw, rng) if rng.random() < 0.8 else b"[" * rng.randrange(1, 900_000)
    word = base64.urlsafe_b64encode(zlib.compress(raw, 9))
    return state.unpack(text(mutated(word, rng) if rng.random() < 0.3 else word))


def a_table(rng: random.Random) -> object:
    data, name = mutated(rng.choice(TABLES), rng), rng.choice(NAMES)
    typed, none = text(data), SentenceSet(())
    columns = rng.choice(((), (), ("1",), ("2", "1"), ("sentence", "9")))
    choice = Choice(rng.choice((None, None, True, False)), columns)
    corpus = parse_passages("One.\nTwo.\nThree.")[0]
    readers: tuple[Callable[[], object], ...] = (
        *[lambda: parse_table(data, name, choice)] * 4,
        *[lambda: parse_pair_table(data, name, none, choice)] * 4,
        lambda: parse_sentences(typed),
        lambda: parse_pairs(typed, none),
        lambda: parse_triplets(typed),
        lambda: parse_nli(typed),
        lambda: parse_passages(typed),
        lambda: parse_questions(typed, corpus),
    )
    return rng.choice(readers)()


def progress_text(folder: Path) -> bytes:
    """A learner who answered a few cards, as the export gives it."""
    with Database.open(f"sqlite:///{folder}/a.sqlite3") as kept:
        who = learners.create(kept, "Ada", "k" * 20, NOW).id
        for i, card in enumerate(built_in.all_cards()[:4]):
            before = schedule.new_state(card.id, NOW)
            for rating in (Rating.GOOD, Rating.AGAIN):
                after, review = schedule.review(before, rating, NOW + timedelta(days=i))
                study.record(kept, who, review, after)
                before = after
        study.save_deck(kept, who, parse.parse(text(DECKS[0]), "mine"), NOW)
        learners.set_setting(kept, who, "run_notes", {"r": "a note"})
        learners.set_lesson_progress(kept, who, "what_is_an_embedding", {"step": 1, "answers": {}}, NOW)
        return transfer.export_progress(kept, who, NOW).encode()


class Progresses:
    """Reads a mutated progress file, stores it, and reads all of it again, as the pages do after a reload."""

    def __init__(self, folder: Path) -> None:
        self.good = progress_text(folder)
        self.kept = Database.open(f"sqlite:///{folder}/b.sqlite3")
        self.who = learners.create(self.kept, "Bob", "b" * 20, NOW).id

    def __call__(self, rng: random.Random) -> object:
        whole = json.dumps(changed(json.loads(self.good), rng)).encode()
        progress = transfer.read_progress(mutated(self.good, rng) if rng.random() < 0.3 else whole)
        kept, who = self.kept, self.who
        transfer.import_progress(kept, who, progress, NOW)
        settings, states, log = (
            read(kept, who) for read in (learners.study_settings, study.states, study.log)
        )
        schedule.forecast(states.values(), NOW, 30, settings.zone)
        schedule.reviews_per_day(log, settings.zone)
        for one in states.values():
            schedule.retrievability(one, NOW + timedelta(days=60))
            schedule.review(one, Rating.GOOD, NOW, desired_retention=settings.desired_retention)
        for value in learners.lesson_progress(kept, who).values():
            lesson_progress(value, 5)
        assert study.left_out(kept, who) == 0, "what is let in can be read"
        return learners.run_notes(kept, who), transfer.export_progress(kept, who, NOW)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--only", help="all inputs for this kind")
    given = parser.parse_args()
    logging.disable(logging.WARNING)  # the door writes a line for most of these
    with TemporaryDirectory() as folder:
        kinds = {
            "run files": a_run_file,
            "lessons": a_lesson,
            "decks": a_deck,
            "links": a_link,
            "tables": a_table,
            "progress files": Progresses(Path(folder)),
        }
        if given.only:
            kinds = {given.only: kinds[given.only]}
        print("| kind | inputs | read | refused | slowest, ms |\n|---|---|---|---|---|")
        found = sum(
            fuzz(name, read, given.inputs // len(kinds) + 1, given.seed) for name, read in kinds.items()
        )
    if found:
        sys.exit(f"{found} inputs were neither read nor refused")


def fuzz(name: str, read: Callable[[random.Random], object], inputs: int, seed: int) -> int:
    """Print the kind's row, and what was found; how many findings there are."""
    accepted = found = 0
    slowest = 0.0
    told: set[str] = set()
    for number in range(inputs):
        began = time.process_time()
        try:
            repr(read(random.Random(f"{seed} {name} {number}"))).encode()
            accepted += 1
        except InputError as error:
            sentence = str(error)
            problem = (
                ""
                if sentence.strip() and len(sentence) < 1_000
                else f"a sentence of {len(sentence)} characters"
            )
            found += _tell(name, number, problem, told)
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(frame.filename).name}:{frame.lineno}"
            found += _tell(name, number, f"{type(error).__name__} in {where}: {str(error)[:150]}", told)
        took = time.process_time() - began
        found += _tell(name, number, f"slow: {took:.1f} s" if took > SLOW else "", told)
        slowest = max(slowest, took)
    print(
        f"| {name} | {inputs:,} | {accepted:,} | {inputs - accepted - found:,} | {slowest * 1e3:.0f} |",
        flush=True,
    )
    return found


def _tell(name: str, number: int, problem: str, told: set[str]) -> int:
    if problem and problem.partition(":")[0] not in told:
        told.add(problem.partition(":")[0])
        print(f"{name} {number}: {problem}", flush=True)
    return int(bool(problem))


if __name__ == "__main__":
    main()
