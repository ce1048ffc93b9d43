"""The moving map: a canvas "board" that stays mounted, and a tiny "feed" that brings it new positions.

Mount `board` OUTSIDE the ticking fragment and `feed` inside it. A tick then sends only the coordinates,
and zoom, hover and selection, which live in the browser, survive it:

    result = board(key="map", sentence_set=sentences, xy=frame.xy, step=frame.step, trails=True)

    @st.fragment(run_every=0.1)
    def tick() -> None:
        frame = newest_frame()
        feed(key="map-feed", board_key="map", xy=frame.xy, step=frame.step)

The board glides in a straight line from one frame it was given to the next, in the time that lay between
their arrivals, and stops there: nothing moves that the layout did not move.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from core.runs.encoding import pack
from core.types import FloatArray, Forces, IntArray, SentenceSet
from ui.boards.moving_map import component

ColorBy = Literal["group", "trust", "movement", "none"]
MarkKind = Literal["similar", "dissimilar"]


class MarkAction(NamedTuple):
    """A press on "Mark as similar" or "Mark as dissimilar": which, and the ids selected then."""

    kind: MarkKind
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BoardResult:
    """What a person did on the map. `action` is set for one script run only, `selected` stays."""

    selected: tuple[str, ...] = ()
    hovered: str | None = None
    action: MarkAction | None = None
    continue_from: int | None = None  # the step to go on from, for one script run


def board(
    *,
    key: str,
    sentence_set: SentenceSet,
    xy: NDArray[Any],
    step: int | None = None,
    space: str = "",
    color_by: ColorBy = "group",
    values: NDArray[Any] | None = None,
    values_label: str | None = None,
    labels: bool = True,
    trails: bool = False,
    neighbours: IntArray | None = None,
    forces: Forces | None = None,
    selected: Sequence[str] | None = None,
    height: int = 520,
    ghost: NDArray[Any] | None = None,
    ghost_label: str = "before",
    frames: NDArray[Any] | Sequence[FloatArray] | None = None,
    steps: Sequence[int] | None = None,
    replay_of: str = "",
    can_mark: bool = True,
    report_hover: bool = False,
    link: str = "",
    extent: NDArray[Any] | None = None,
    noun: str = "sentence",
    channel: dict[str, Any] | None = None,
    live_forces: bool = False,
    held_out: Sequence[int] = (),
    below: tuple[int, int] | None = None,
    can_continue: bool = False,
    named: Sequence[int] = (),
    plays: bool = False,
) -> BoardResult:
    """Draw the map and return what was selected or marked on it.

    Args:
        key: names this board; `feed` finds it by this name.
        sentence_set: the n sentences. Points are matched by sentence id when the set changes.
        xy: (n, 2) or (n, 3) positions now. Points whose position is not finite are not drawn.
        step: the training step that `xy` shows; None on a map that no training moves.
        space: names the coordinate system, e.g. the layout method. When it changes, the map jumps and fits
            again, because a glide between two methods would show a movement that never happened.
        color_by: "group" (colour and shape), "trust" or "movement" (one scale, stronger is more) or "none".
        values: (n,) for "trust", in [0, 1], or for "movement", at least 0. Without values "movement" is
            the distance on the map from `ghost`, else from the first frame shown.
        values_label: what the legend calls the values.
        neighbours: (n, k) rows of each sentence's nearest neighbours in the full space, nearest first;
            highlighted on hover.
        forces: pairs drawn as lines: negative values pull (blue, solid), positive push (vermillion, dashed).
        selected: ids to select from Python. None leaves the selection to the person.
        height: of the canvas, in CSS pixels.
        ghost: (n, 2) or (n, 3) earlier positions, drawn hollow with an arrow to where the point is now.
        frames: (T, n, 2) or (T, n, 3): replay these with a slider, play button and speed instead of `xy`.
        steps: (T,) the training step of each frame.
        replay_of: the id of the run whose frames these are. The browser tab remembers the step that a person
            left the slider at, also when the page is left or loaded again.
        can_mark: offer "Mark as similar" and "Mark as dissimilar" when two or more are selected.
        report_hover: also rerun the script when the pointer rests on a point.
        link: boards with the same link zoom and pan together; give them the same `extent`.
        extent: (m, 2) or (m, 3) further positions that have to fit into the view; they are not drawn.
        noun: what a point is, for the search field and for who hears the map: "sentence" or "word".
        channel: ui/runs/push.py's address of a run of this sentence set, whose messages move the points.
        live_forces: draw the forces that these messages bring.
        held_out: rows that no training pair touches, drawn hollow.
        below: instead of `height`, fill the window down to so many pixels above its lower edge; the second
            number is for a window so narrow that columns stand below each other.
        can_continue: offer "Go on from here" beside the replay's slider.
        named: rows that always carry their text.
        plays: the replay starts by itself, at half speed, for who did not ask for less motion.
    """
    n = len(sentence_set)
    group_names = list(dict.fromkeys(g for g in sentence_set.groups if g is not None))
    row_of_group = {name: i for i, name in enumerate(group_names)}
    header = {
        "key": key,
        "step": step,
        "space": space,
        "ids": sentence_set.ids,
        "texts": sentence_set.texts,
        "group": [row_of_group[g] if g is not None else -1 for g in sentence_set.groups],
        "groupNames": group_names,
        "colorBy": color_by,
        "valuesLabel": values_label,
        "labels": labels,
        "trails": trails,
        "selected": None if selected is None else list(selected),
        "height": height,
        "ghostLabel": ghost_label,
        "steps": None if steps is None else [int(s) for s in steps],
        "replayOf": replay_of,
        "canMark": can_mark,
        "reportHover": report_hover,
        "link": link,
        "noun": noun,
        "channel": channel,
        "showsForces": live_forces,
        "heldOut": [int(row) for row in held_out],
        "below": below,
        "canContinue": can_continue,
        "named": [int(row) for row in named],
        "plays": plays,
    }
    replay = None if frames is None else np.asarray(frames, dtype=np.float32)
    assert replay is None or (replay.ndim == 3 and replay.shape[1] == n), "frames are (T, n, 2 or 3)"
    assert steps is None or (replay is not None and len(steps) == len(replay)), "one step a frame"
    arrays = _frame_arrays(xy, n, neighbours, values, forces)
    arrays |= {"ghost": None if ghost is None else _positions(ghost, n), "frames": replay}
    arrays["extent"] = None if extent is None else np.asarray(extent, np.float32)
    raw = component.mount_board(key=key, data=pack(header, arrays))
    return read_result(raw, sentence_set)


def feed(
    *,
    key: str,
    board_key: str,
    xy: NDArray[Any],
    step: int,
    space: str | None = None,
    neighbours: IntArray | None = None,
    values: NDArray[Any] | None = None,
    forces: Forces | None = None,
) -> None:
    """Hand a board its next frame. Call it inside `st.fragment(run_every=...)`; arguments as for `board`.
    Without `space` the frame belongs to the coordinate system that the board shows.

    Sends 8 bytes a point and about 700 around them; neighbours, values and forces only where given.
    A frame for another number of points than the board shows waits until the board has that many.
    """
    n = len(xy)
    header = {"board": board_key, "step": step, "space": space}
    data = pack(header, _frame_arrays(xy, n, neighbours, values, forces))
    component.mount_feed(key=key, data=data)


def read_result(raw: Any, sentence_set: SentenceSet) -> BoardResult:
    """The browser's answer as a BoardResult. Ids that are not in the set are dropped: they come from
    outside and may be older than the set."""
    known = set(sentence_set.ids)

    def ids(value: Any) -> tuple[str, ...]:
        items = value if isinstance(value, list | tuple) else ()
        return tuple(dict.fromkeys(i for i in items if isinstance(i, str) and i in known))

    hovered = getattr(raw, "hovered", None)
    event = getattr(raw, "action", None)
    action = None
    if isinstance(event, dict) and event.get("kind") in ("similar", "dissimilar"):
        marked = ids(event.get("ids"))
        if len(marked) >= 2:
            action = MarkAction(cast(MarkKind, event["kind"]), marked)
    step = event.get("step") if isinstance(event, dict) and event.get("kind") == "continue" else None
    return BoardResult(
        ids(getattr(raw, "selected", None)),
        hovered if hovered in known else None,
        action,
        step if isinstance(step, int) and not isinstance(step, bool) and step >= 0 else None,
    )


def _frame_arrays(
    xy: NDArray[Any],
    n: int,
    neighbours: IntArray | None,
    values: NDArray[Any] | None,
    forces: Forces | None,
) -> dict[str, NDArray[Any] | None]:
    assert neighbours is None or neighbours.shape[0] == n, "neighbours are (n, k)"
    assert values is None or np.shape(values) == (n,), "values are (n,)"
    return {
        "xy": _positions(xy, n),
        "values": None if values is None else np.asarray(values, np.float32),
        "neighbours": neighbours,
        "forceRows": None if forces is None else forces.rows,
        "forceValues": None if forces is None else np.asarray(forces.values, np.float32),
    }


def _positions(xy: NDArray[Any], n: int) -> FloatArray:
    array = np.asarray(xy, dtype=np.float32)
    assert array.shape in ((n, 2), (n, 3)), f"positions are (n, 2) or (n, 3), not {array.shape}"
    return array
