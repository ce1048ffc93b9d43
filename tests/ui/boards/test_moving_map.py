"""The Python side of the moving map: the bytes it sends and the answers it accepts. No browser, no server."""

from __future__ import annotations

import json
import struct
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.runs.encoding import pack, unpack
from core.types import Forces, Sentence, SentenceSet
from ui.boards import moving_map
from ui.boards.moving_map import component

SET = SentenceSet(
    (
        Sentence("a", "<b>one</b>", "x"),
        Sentence("b", "שתיים 🙈", "y"),
        Sentence("c", "three", None),
        Sentence("d", "four", "x"),
    )
)
XY = np.arange(8, dtype=np.float64).reshape(4, 2)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What board and feed hand to Streamlit, instead of handing it."""
    caught: dict[str, bytes] = {}
    monkeypatch.setattr(component, "mount_board", lambda key, data: caught.update(board=data))
    monkeypatch.setattr(component, "mount_feed", lambda key, data: caught.update(feed=data))
    return caught


def test_the_bytes_are_as_the_browser_expects_them() -> None:
    data = pack({"step": 3}, {"xy": np.array([[1.5, -2.0]]), "rows": np.array([7]), "none": None})
    (length,) = struct.unpack("<I", data[:4])
    header = json.loads(data[4 : 4 + length])
    assert header == {"step": 3, "arrays": [["xy", "f4", [1, 2]], ["rows", "u2", [1]]]}
    body = data[4 + length :]
    assert struct.unpack("<ffH", body[:10]) == (1.5, -2.0, 7)
    assert length % 4 == 0 and len(body) == 12, "arrays must start at multiples of 4"


@pytest.mark.parametrize("text", ["", "a", "ab", "abc", "é", "カード", "🙈", "שלום"])
def test_header_of_any_length_and_script_comes_back(text: str) -> None:
    xy = np.linspace(-1, 1, 6, dtype=np.float32).reshape(3, 2)
    header, arrays = unpack(pack({"texts": [text]}, {"odd": np.array([1, 2, 3]), "xy": xy}))
    assert header["texts"] == [text]
    np.testing.assert_array_equal(arrays["xy"], xy)
    np.testing.assert_array_equal(arrays["odd"], [1, 2, 3])


def test_a_row_that_does_not_fit_is_refused() -> None:
    with pytest.raises(AssertionError, match="16 bits"):
        pack({}, {"rows": np.array([70_000])})


def test_a_position_that_is_not_finite_stays_so() -> None:
    _, arrays = unpack(pack({}, {"xy": np.array([[np.nan, np.inf]])}))
    assert np.isnan(arrays["xy"][0, 0]) and np.isinf(arrays["xy"][0, 1])


def test_board_sends_texts_as_typed_and_groups_by_number(sent: dict[str, bytes]) -> None:
    moving_map.board(key="m", sentence_set=SET, xy=XY, step=5)
    header, arrays = unpack(sent["board"])
    assert header["texts"] == list(SET.texts)
    assert header["group"] == [0, 1, -1, 0]
    assert header["groupNames"] == ["x", "y"]
    assert header["step"] == 5
    assert header["selected"] is None
    assert arrays["xy"].dtype == np.float32
    np.testing.assert_array_equal(arrays["xy"], XY)


def test_board_sends_frames_neighbours_forces_and_ghost(sent: dict[str, bytes]) -> None:
    forces = Forces(np.array([[0, 1], [2, 3]]), np.array([-0.5, 0.25], np.float32))
    neighbours = np.array([[1, 2], [0, 2], [3, 0], [2, 1]])
    frames = np.stack([XY, XY + 1])
    moving_map.board(
        key="m",
        sentence_set=SET,
        xy=XY,
        neighbours=neighbours,
        forces=forces,
        ghost=XY - 1,
        frames=frames,
        steps=[0, 10],
    )
    header, arrays = unpack(sent["board"])
    assert header["steps"] == [0, 10]
    np.testing.assert_array_equal(arrays["frames"], frames)
    np.testing.assert_array_equal(arrays["neighbours"], neighbours)
    np.testing.assert_array_equal(arrays["forceRows"], forces.rows)
    np.testing.assert_array_equal(arrays["forceValues"], forces.values)
    np.testing.assert_array_equal(arrays["ghost"], XY - 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"xy": XY[:3]},
        {"xy": XY.ravel()},
        {"values": np.ones(3)},
        {"neighbours": np.zeros((3, 2), np.int64)},
        {"frames": np.zeros((2, 3, 2))},
        {"frames": np.zeros((2, 4, 2)), "steps": [1]},
    ],
)
def test_arrays_of_a_wrong_shape_are_refused(sent: dict[str, bytes], wrong: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        moving_map.board(**{"key": "m", "sentence_set": SET, "xy": XY} | wrong)


def test_an_empty_set_is_sent_too(sent: dict[str, bytes]) -> None:
    moving_map.board(key="m", sentence_set=SentenceSet(()), xy=np.zeros((0, 2)))
    assert unpack(sent["board"])[0]["ids"] == []


def test_a_tick_sends_eight_bytes_a_point_and_little_else(sent: dict[str, bytes]) -> None:
    moving_map.feed(key="f", board_key="m", xy=np.zeros((200, 2)), step=7)
    header, arrays = unpack(sent["feed"])
    assert header == {"board": "m", "step": 7, "space": None}
    assert list(arrays) == ["xy"]
    assert len(sent["feed"]) <= 200 * 8 + 100


def test_the_feed_script_is_small_and_inline() -> None:
    source = (component._FOLDER / "frontend" / "feed.js").read_text("utf-8")
    script = component._without_comments(source)
    assert "\n" in script, "without a line break Streamlit takes it for a path"
    assert "//" not in script
    assert len(script) < 1000, "it is sent at every tick"


def result(**answer: Any) -> moving_map.BoardResult:
    return moving_map.read_result(SimpleNamespace(**answer), SET)


def test_the_browsers_answer_is_read() -> None:
    got = result(selected=["b", "a"], hovered="c", action={"kind": "similar", "ids": ["a", "b"]})
    assert got.selected == ("b", "a")
    assert got.hovered == "c"
    assert got.action == ("similar", ("a", "b"))


@pytest.mark.parametrize(
    "action",
    [
        None,
        "similar",
        {"kind": "delete", "ids": ["a", "b"]},
        {"kind": "similar", "ids": ["a"]},
        {"kind": "similar", "ids": ["a", "a"]},
        {"kind": "similar", "ids": "ab"},
        {"ids": ["a", "b"]},
    ],
)
def test_an_action_that_makes_no_sense_is_none(action: Any) -> None:
    assert result(action=action).action is None


def test_ids_of_an_older_set_are_dropped() -> None:
    got = result(selected=["gone", "a", 3, "a"], hovered="gone")
    assert got.selected == ("a",)
    assert got.hovered is None


def test_no_answer_yet() -> None:
    assert result() == moving_map.BoardResult()
    assert moving_map.read_result(None, SET) == moving_map.BoardResult()
