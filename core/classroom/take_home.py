"""Everything of a class as one zip: votes and tests without names, sentences, runs, a deck, what happened.

Learners are numbered in an order drawn anew for each zip, so that a number says nothing about who joined
when.
"""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from ..cards.from_run import cards_from_run
from ..cards.parse import write
from ..cards.types import Card, Deck
from ..data.sentences import to_text
from ..data.separated import csv_bytes
from ..data.text import safe_cell
from ..export import run_file
from ..storage.database import Database
from ..types import Run
from . import entries, stage
from .activities import PredictActivity
from .entries import Sent
from .rooms import Room, members
from .stage import Staged

VOTES = ("activity", "question", "round", "learner", "answer")
README = """Taken home from the class "{title}" on {day}.

what_happened.txt   the activities in their order: how many answered, what came out
votes.csv           one row a vote; the learners' numbers are drawn by chance, and mean nothing elsewhere
tests.csv           one row an answer of the before-and-after test: "right", or the belief it stands for
texts.csv           sentences and explanations, with whether they were shown
sentences.txt       the class's sentence set, for the text box of Train live
run-N.zip           the run of activity N, for Compare runs (Open a run file)
cards.md            cards about these runs, for Study cards (Add a deck)
"""


def zipped(database: Database, room: Room, runs: Mapping[int, Run], now: datetime) -> bytes:
    """The zip. `runs`: activity -> its run, those that the server still knows."""
    order = [member.number for member in members(database, room.id)]
    random.SystemRandom().shuffle(order)
    alias = {number: i for i, number in enumerate(order, start=1)}
    listed = stage.activities(database, room.id)
    sent = entries.entries(database, room.id)
    votes = {one.number: stage.votes(database, room.id, one.number) for one in listed}
    tests = entries.sittings_by_member(database, room.id)
    ran = {number: run for number, run in runs.items() if run.snapshots}
    files: dict[str, bytes] = {
        "README.txt": README.format(title=room.title, day=f"{room.created:%Y-%m-%d}").encode(),
        "what_happened.txt": "\n\n".join(_happened(listed, votes, sent, ran)).encode(),
        "votes.csv": csv_bytes(VOTES, _votes(listed, votes, alias)),
        "tests.csv": csv_bytes(
            ("learner", "sitting", "form", "item", "answer"),
            (
                (alias.get(who, 0), number, sitting.form, item, answer)
                for who, record in tests.items()
                for number, sitting in enumerate(record.sittings, start=1)
                for item, answer in sitting.answers
            ),
        ),
        "texts.csv": csv_bytes(
            ("activity", "group", "text", "status"),
            ((s.activity, safe_cell(s.group), safe_cell(s.text), s.status.value) for s in sent),
        ),
        "sentences.txt": to_text(entries.sentence_set(sent, room.title)).encode(),
    }
    cards: dict[str, Card] = {}
    for number, run in ran.items():
        kept = run_file.RunFile(run, f"{room.title}, activity {number}", created=now.isoformat())
        files[f"run-{number}.zip"] = run_file.pack(kept)
        cards |= {made.card.id: made.card for made in cards_from_run(run)}
    if cards:
        deck = Deck("class", room.title, tuple(cards.values()), "Made from the runs of this class.")
        files["cards.md"] = write(deck).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def _votes(
    listed: Sequence[Staged], votes: Mapping[int, Mapping[int, Mapping[int, float]]], alias: Mapping[int, int]
) -> Iterable[tuple[object, ...]]:
    for one in listed:
        if isinstance(one.content, PredictActivity):
            for round_, cast in sorted(votes[one.number].items()):
                for who, value in sorted(cast.items(), key=lambda vote: alias.get(vote[0], 0)):
                    said = safe_cell(one.content.words(value))
                    yield one.number, safe_cell(one.content.title), round_, alias.get(who, 0), said


def _happened(
    listed: Sequence[Staged],
    votes: Mapping[int, Mapping[int, Mapping[int, float]]],
    sent: Sequence[Sent],
    runs: Mapping[int, Run],
) -> Iterable[str]:
    """A paragraph an activity."""
    for place, one in enumerate(listed, start=1):
        lines = [f"{place}. {one.content.kind} (activity {one.number}): {one.content.title}"]
        if one.content.note:
            lines.append(one.content.note)
        if isinstance(one.content, PredictActivity) and votes[one.number]:
            found = stage.tally(one.content, votes[one.number])
            for i, label in enumerate(found.labels):
                lines.append(f"   {label}: {' / '.join(str(n) for n in found.bars[:, i])}")
            if found.changes is not None:
                lines.append("   {} of {} changed their answer.".format(*found.changed))
            if one.outcome is not None:
                lines.append(f"   What came out: {one.content.words(float(one.outcome))}")
        if texts := sum(s.activity == one.number for s in sent):
            lines.append(f"   {texts} texts")
        if (run := runs.get(one.number)) is not None:
            last = run.snapshots[-1]
            accuracy = last.metrics.held_out_accuracy
            unseen = "" if accuracy is None else f", {accuracy:.0%} of the unseen pairs right"
            lines.append(f"   {len(run.sentences)} sentences, step {run.step}, loss {last.loss:.3f}{unseen}")
        yield "\n".join(lines)
