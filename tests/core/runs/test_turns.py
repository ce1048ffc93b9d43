"""Who is next: pure bookkeeping, played through with a clock of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from core.runs.turns import AHEAD, CHANGES, TURN, Turns

STEP = 0.2  # seconds


def played(
    runs: Sequence[tuple[str, tuple[str, ...]]], seconds: float, places: Sequence[str] = ("p",), change=0.0
) -> tuple[Turns, Counter[str], list[str]]:
    """The runs, (id, owners) each, take turns for so long: the book, who had how many steps, who when."""
    turns, steps, order = Turns(), Counter[str](), list[str]()
    for run_id, owners in runs:
        turns.enter(run_id, owners)
    free_at = dict.fromkeys(places, 0.0)
    ends: dict[str, tuple[str, float]] = {}
    now = 0.0
    while now < seconds:
        idle = [place for place, at in free_at.items() if at <= now]
        for place in idle:
            if place in ends:
                run_id, took = ends.pop(place)
                turns.end(run_id, took, change, left=10.0)
        while (chosen := turns.choose(idle)) is not None:
            run_id, place = chosen
            idle.remove(place)
            length = turns.begin(run_id, place)
            made = max(1, -int(-length // STEP))
            steps[run_id] += made
            order.append(run_id)
            ends[place], free_at[place] = (run_id, made * STEP), now + made * STEP
        if idle and (run_id := turns.stranded()) is not None:
            turns.move(run_id)
            turns.moved(run_id)
            continue
        now = min(at for at in free_at.values() if at > now) if not idle else now + 0.05
    return turns, steps, order


def alone(count: int) -> list[tuple[str, tuple[str, ...]]]:
    return [(f"r{i}", (f"o{i}",)) for i in range(count)]


def test_everybody_makes_a_step_before_anybody_makes_a_second():
    _, _, order = played(alone(30), 20)
    assert order[:30] == [f"r{i}" for i in range(30)]


@pytest.mark.parametrize("places", [("p",), ("p", "q"), ("p", "q", "s")])
@pytest.mark.parametrize("count", [3, 7, 30])
def test_all_get_equally_much(places, count):
    _, steps, _ = played(alone(count), 40 * count / len(places), places)
    assert min(steps.values()) >= 0.8 * max(steps.values()), steps


def test_many_tabs_of_one_browser_share_what_one_gets():
    runs = [(f"tab{i}", ("greedy",)) for i in range(10)] + [("one", ("modest",))]
    _, steps, order = played(runs, 60)
    tabs = sum(steps[f"tab{i}"] for i in range(10))
    assert 0.8 <= steps["one"] / tabs <= 1.25
    assert order.index("one") == 1, "its first step does not wait for ten of another's"
    own = [steps[f"tab{i}"] for i in range(10)]
    assert min(own) >= 0.7 * max(own), "and the ten share alike"


def test_two_tabs_do_not_take_both_processes_before_somebody_elses_first():
    turns = Turns()
    for run_id, owner in (("a1", "a"), ("a2", "a"), ("b", "b")):
        turns.enter(run_id, (owner,))
    first = turns.choose(["p", "q"])
    assert first is not None and first[0] == "a1"
    turns.begin(*first)
    second = turns.choose(["q"])
    assert second is not None and second[0] == "b"


def test_a_newcomer_is_next_but_gets_no_more_than_others_from_then_on():
    turns, _, _ = played(alone(2), 100)
    turns.enter("late", ("late",))
    assert turns.waiting()[0].id == "late"
    assert turns.begin("late", "p") == 0.0, "one step at first"
    turns.end("late", 50.0, 0.0)
    assert turns.waiting()[-1].id == "late", "a turn that long is paid back"


def test_a_run_stays_with_the_process_that_has_it_unless_that_would_be_unfair():
    turns = Turns()
    for run_id in "abc":
        turns.enter(run_id, (run_id,))
    for run_id, place in (("a", "p"), ("b", "q")):
        assert turns.choose([place]) == (run_id, place)
        turns.begin(run_id, place)
    turns.end("b", 0.5, 0.0)
    turns.begin("c", "q")
    turns.end("c", 0.5, 0.0)
    turns.begin("b", "q")
    turns.end("a", 0.6, 0.0)
    assert turns.choose(["p"]) == ("a", "p"), "a little ahead of c, which is in q's memory"
    turns.begin("a", "p")
    turns.end("a", AHEAD + 1, 0.0)
    assert turns.choose(["p"]) is None and turns.stranded() == "c"
    assert turns.move("c") == "q" and turns.stranded() is None, "one at a time"
    turns.moved("c")
    assert turns.choose(["p"]) == ("c", "p")


def test_what_is_expensive_to_take_up_gets_longer_turns():
    turns = Turns()
    turns.enter("a", ("a",))
    turns.begin("a", "p")
    turns.end("a", 0.5, 3.0)
    assert turns.begin("a", "p") == TURN, "the first time it was made, not taken up"
    turns.end("a", 0.5, 0.4)
    assert turns.begin("a", "p") == CHANGES * 0.4


def test_a_run_of_many_owners_is_charged_to_each_for_a_part():
    _, steps, _ = played([("shared", ("a", "b", "c")), ("own", ("d",))], 100)
    assert 2.5 <= steps["shared"] / steps["own"] <= 3.5


def test_those_who_stop_are_told_where_they_are_and_leave():
    turns = Turns()
    turns.enter("a", ("a",))
    assert turns.stop("a") is None and turns.turn("a", 1) is None, "it never began"
    turns.enter("a", ("a",))
    turns.begin("a", "p")
    turns.end("a", 1.0, 0.0)
    assert turns.stop("a") == "p" and turns.choose(["p"]) is None
    assert turns.lost("p") == ["a"] and turns.turn("a", 1) is None


def test_the_wait_is_told_before_the_first_step_and_the_end_after_it():
    turns = Turns()
    for run_id in "abc":
        turns.enter(run_id, (run_id,))
    turns.begin("a", "p")
    found = [turns.turn(run_id, 1) for run_id in "abc"]
    assert all(turn is not None for turn in found)
    assert [(turn.place, turn.others) for turn in found] == [(None, 2), (1, 2), (2, 2)]
    assert 0 < found[1].seconds < found[2].seconds
    turns.end("a", 1.0, 0.0, left=4.0)
    for run_id, left in (("b", 1.0), ("c", 9.0)):
        turns.begin(run_id, "p")
        turns.end(run_id, 1.0, 0.0, left=left)
    ends = {run_id: turns.turn(run_id, 1).seconds for run_id in "abc"}
    assert ends == {"b": 3.0, "a": 9.0, "c": 14.0}
    assert turns.turn("c", 2).seconds == 9.0, "no sooner than it would take alone"
