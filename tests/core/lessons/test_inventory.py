"""The before-and-after test: its items are sound, sittings survive, statistics are what the books say."""

from __future__ import annotations

import numpy as np
import pytest

from core.lessons import inventory as items
from core.lessons.inventory import ITEMS, RIGHT, inventory
from core.lessons.sittings import (
    FEWEST,
    InventoryRecord,
    Sitting,
    from_json,
    gain,
    item_columns,
    item_statistics,
)
from core.types import InputError

OF = inventory()
KEYS = [item.key for item in OF.items]


def sitting(form: str, right: set[str], done: bool = True) -> Sitting:
    """All items answered: those named rightly, the others with their first misbelief."""
    found = Sitting(form)  # type: ignore[arg-type]
    for item in OF.items:
        found = found.with_answer(item.key, RIGHT if item.key in right else item.a.wrong[0].belief)
    return Sitting(found.form, found.answers, done)


def record(before: int, after: int | None) -> InventoryRecord:
    sittings = [sitting("a", set(KEYS[:before]))]
    return InventoryRecord((*sittings, *([] if after is None else [sitting("b", set(KEYS[:after]))])))


def test_the_items_give_no_hint_by_their_form():
    assert 12 <= len(OF.items) <= 16
    places, longest = [], 0
    for item in OF.items:
        for form in (item.a, item.b):
            options = form.options(item.key)
            assert len(set(options.values())) == 4
            places.append(list(options).index(RIGHT))
            longest += len(form.right) > max(len(wrong.text) for wrong in form.wrong)
    assert set(places) == {0, 1, 2, 3} and max(places.count(p) for p in range(4)) <= len(places) / 2
    assert longest <= len(places) / 4, "whoever takes the longest answer would do well"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            'lesson = "reading_a_map"',
            'lesson = "nothing"',
            "line 82, item 4 (map-distance), lesson: there is no",
        ),
        (
            'belief = "numbers encode the letters"',
            'belief = "other"',
            "both forms need the same three beliefs",
        ),
        ('key = "threshold"', 'key = "numbers"', "'numbers' stands here twice"),
        ('right = "Nothing yet', 'colour = "red"\nright = "Nothing yet', "there is no such field here"),
    ],
)
def test_a_mistake_in_the_items_is_told(tmp_path, old, new, told):
    text = ITEMS.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "items.toml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as error:
        items.load(file, items.Inventory)
    assert told in str(error.value)


def test_the_second_sitting_has_the_other_form_and_records_survive_json():
    begun = InventoryRecord().begin("b")
    assert begun.open is not None and begun.open.form == "b" and begun.done == ()
    done = begun.changed(sitting("b", set(KEYS[:4])))
    assert done.open is None and done.done[0].right == 4
    second = done.begin("b")
    assert second.open is not None and second.open.form == "a"
    half = second.changed(second.open.with_answer("numbers", RIGHT))
    assert from_json(half.to_json(), OF) == half
    assert from_json({"sittings": [{"form": "z"}]}, OF) == InventoryRecord()
    forged = {"sittings": [{"form": "a", "answers": {"numbers": "magic"}, "done": True}]}
    assert from_json(forged, OF) == InventoryRecord((Sitting("a"),)), "what no item offers is no answer"


def test_gain_and_its_interval_are_hakes_and_the_bootstraps():
    n = len(KEYS)
    records = [record(3, 9), record(6, 12), record(0, n), record(5, 5), record(8, 10), record(4, None)]
    found = gain(records, OF)
    before, after = np.mean([3, 6, 0, 5, 8]) / n, np.mean([9, 12, n, 5, 10]) / n
    assert found.count == 5 and found.before == pytest.approx(before) and found.after == pytest.approx(after)
    assert found.gain == pytest.approx((after - before) / (1 - before))
    assert found.low < found.gain < found.high
    same = gain([record(5, 10)] * 6, OF)
    assert same.low == pytest.approx(same.gain) == pytest.approx(same.high)
    assert gain([record(n, n)] * 5, OF).gain is None
    assert gain(records[:4], OF) is None, "four people's answers could be told apart"


def test_difficulty_and_discrimination():
    """The first item is right for those who are good at the rest, the last one for the others."""
    good, poor = {*KEYS[:8]}, {KEYS[-1]}
    records = [InventoryRecord((sitting("a", who),)) for who in (good, good, good, poor, poor, poor)]
    rows = {row.item: row for row in item_statistics(records, OF)}
    assert rows[KEYS[0]].difficulty == 0.5 and rows[KEYS[0]].discrimination == pytest.approx(1)
    assert rows[KEYS[-1]].discrimination == pytest.approx(-1)
    never = rows[KEYS[10]]
    assert never.difficulty == 0 and never.discrimination is None and never.believers == 6
    assert {row.sitting for row in rows.values()} == {1} and rows[KEYS[0]].count == 6
    assert item_statistics(records[: FEWEST - 1], OF) == ()
    columns = item_columns(tuple(rows.values()), OF)
    assert len({len(values) for values in columns.values()}) == 1 and "name" not in columns
