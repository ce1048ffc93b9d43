"""Frames from embeddings: every 2-D or 3-D layout behind `start`, `advance`, `layout_all`.

Pure and resumable: the whole memory of a layout is a frozen LayoutState of arrays and plain values, so a
run can be drawn in another process, rewound and forked. Importing this file loads numpy only; umap-learn
and numba are loaded by the first neighbour map or by `warm_up`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from ..types import FloatArray, Frame, InputError
from ..vectors import SAME, cosine_distances, squared_distances, unit_rows
from . import pca as linear
from .placing import place
from .quality import (
    Points,
    point_trust,
    trust_from_distances,
    trustworthiness,
    trustworthiness_from_distances,
)

__all__ = [
    "DEFAULT_LAYOUT",
    "LAYOUTS",
    "Layout",
    "LayoutSettings",
    "LayoutState",
    "advance",
    "layout_all",
    "place",
    "point_trust",
    "shared_layout",
    "start",
    "trustworthiness",
    "warm_up",
]

# 10 of 8..15 reached corr >= 0.85 and trustworthiness >= 0.95 at every frame of the 40-sentence study with
# room to spare, from either start (bench_projection.py); the study's own 15 reached 0.74 once converged.
NEIGHBOURS = 10
FEWEST_FOR_NEIGHBOURS = 4  # below, a plane shows all distances exactly and PCA draws it
REMEMBERED = 64  # first frames
STILL = 1e-7  # embeddings that changed less than this, in any coordinate, have not changed
CALM_GROWTH = 2.0  # a map may grow to twice its first size as it likes ...
LARGEST_GROWTH = 4.0  # ... and is held below four times, smoothly


@dataclass(frozen=True, slots=True)
class LayoutSettings:
    """`neighbours` as in UMAP (a point counts as its own first), lowered to n where n is smaller."""

    neighbours: int = NEIGHBOURS
    seed: int = 0


@dataclass(frozen=True, slots=True)
class LayoutState:
    """All that `advance` needs to go on. Made by `start`; treat as opaque and as read-only."""

    method: str
    settings: LayoutSettings
    embeddings: FloatArray  # (n, d) that `frame` was drawn from
    xy: Points  # (n, dims) in the layout's own unit, zero mean
    unit: float  # root mean square distance from the centre at the first frame, in that unit
    axes: Points  # (d, dims) for PCA, else (0, 0)
    spread: Points  # (r, d) of the frames so far for PCA (pca.spread), else (0, 0)
    frame: Frame  # drawn last


Begin = Callable[[FloatArray, LayoutSettings, int], Points]


@dataclass(frozen=True, slots=True)
class Layout:
    """A row of LAYOUTS. A neighbour map says how it begins and moves on: xy (n, dims). PCA needs neither."""

    key: str
    title: str
    summary: str
    dims: int
    begin: Begin | None = None
    move: Callable[[LayoutState, FloatArray, int], Points] | None = None

    @property
    def needs_umap(self) -> bool:
        return self.begin is not None


@dataclass(frozen=True, slots=True)
class _Drawn:
    xy: Points  # (n, dims), zero mean
    axes: Points = dataclasses.field(default_factory=lambda: np.zeros((0, 0)))
    spread: Points = dataclasses.field(default_factory=lambda: np.zeros((0, 0)))
    method: str | None = None  # of the picture, where it is not the layout asked for


_firsts: dict[tuple[object, ...], Points] = {}


def start(
    method: str, embeddings: NDArray, settings: LayoutSettings | None = None, step: int = 0
) -> tuple[LayoutState, Frame]:
    """The first frame of a run. embeddings (n, d), n >= 0; compared by cosine, so length does not matter.

    xy has zero mean and a root mean square distance of 1 from it. Frame.method names the layout that was
    really drawn: with fewer than four sentences "pca" stands in for the neighbour maps.
    Raises InputError for an unknown method or embeddings that are not finite.
    """
    layout, x = _layout(method), _checked(embeddings)
    settings = settings or LayoutSettings()
    drawn = _begin(layout, x, settings)
    size = _size(drawn.xy)
    unit = size if size > SAME else 1.0
    frame = _frame(step, drawn, unit, x, method)
    return LayoutState(method, settings, x, drawn.xy, unit, drawn.axes, drawn.spread, frame), frame


def first_frame(
    method: str, embeddings: NDArray, settings: LayoutSettings | None = None, step: int = 0
) -> Frame:
    """`start` for those who will not go on from there, without all that this would need."""
    return start(method, embeddings, settings, step)[1]


def advance(state: LayoutState, embeddings: NDArray, step: int) -> tuple[LayoutState, Frame]:
    """The next frame, drawn from where the last one stood. embeddings (n, d): the same n rows, moved.

    Embeddings that have not changed (STILL) give exactly the same xy, whatever the layout.
    """
    layout, x = _layout(state.method), _checked(embeddings)
    assert x.shape == state.embeddings.shape, "a layout follows the same sentences through a run"
    if x.size == 0 or float(np.abs(x - state.embeddings).max()) <= STILL:
        # The old embeddings stay in the state, so that many tiny changes add up and are drawn in time.
        frame = dataclasses.replace(state.frame, step=step)
        return dataclasses.replace(state, frame=frame, spread=_with_frame(state, x)), frame
    drawn = _move(layout, state, x)
    frame = _frame(step, drawn, state.unit, x, state.method)
    state = dataclasses.replace(
        state, embeddings=x, xy=drawn.xy, axes=drawn.axes, spread=drawn.spread, frame=frame
    )
    return state, frame


def layout_all(
    method: str,
    embeddings: Sequence[NDArray],
    settings: LayoutSettings | None = None,
    steps: Sequence[int] | None = None,
) -> list[Frame]:
    """All frames of a finished run, for replay. embeddings: a list of (n, d); steps default to 0, 1, 2 ...

    PCA uses one pair of axes fitted to all frames together, so that every motion on the map is a motion of
    the embeddings. The other layouts give what the live run gave, frame by frame.
    """
    numbers = list(range(len(embeddings))) if steps is None else list(steps)
    assert len(numbers) == len(embeddings), "one step number a frame"
    if not embeddings:
        return []
    layout = _layout(method)
    if not layout.needs_umap:
        return _fixed_axes(layout, [_checked(e) for e in embeddings], numbers)
    state, frame = start(method, embeddings[0], settings, numbers[0])
    frames = [frame]
    for x, number in zip(embeddings[1:], numbers[1:], strict=True):
        state, frame = advance(state, x, number)
        frames.append(frame)
    return frames


def shared_layout(embeddings: Sequence[NDArray], settings: LayoutSettings | None = None) -> list[FloatArray]:
    """Several moments (or models) of the same n sentences on ONE layout: a list of xy, (n, 2) each.

    umap-learn's graphs of all moments are averaged into one map that suits them all; each moment then
    rolls downhill from that map to its own rest. No moment is the reference, so their order changes
    nothing, and equal embeddings get equal pictures. All share one unit: their joint root mean square
    distance from the centre is 1. Fewer than four sentences: PCA with shared axes.
    """
    settings = settings or LayoutSettings()
    xs = [_checked(e) for e in embeddings]
    if not xs:
        return []
    assert len({x.shape for x in xs}) == 1, "all moments hold the same sentences"
    if len(xs[0]) < FEWEST_FOR_NEIGHBOURS or all(_collapsed(x) for x in xs):
        return [frame.xy for frame in _fixed_axes(LAYOUTS["pca"], xs, list(range(len(xs))))]
    from . import equilibrium

    informed = [x for x in xs if not _collapsed(x)]
    graphs = [equilibrium.neighbour_graph(cosine_distances(x), settings.neighbours) for x in xs]
    middle = equilibrium.mean_graph([g for g, x in zip(graphs, xs, strict=True) if not _collapsed(x)])
    axes = linear.axes_of_rows(informed, 2)
    initial = np.mean([linear.centred_units(x) @ axes for x in informed], axis=0)
    common = equilibrium.first_layout(middle, initial, settings.seed)
    rests = [
        common if _collapsed(x) else equilibrium.settle(g, common) for g, x in zip(graphs, xs, strict=True)
    ]
    unit = float(np.sqrt(np.mean([_size(xy) ** 2 for xy in rests]))) or 1.0
    return [(xy / unit).astype(np.float32) for xy in rests]


def warm_up() -> None:
    """Import umap-learn and compile every kernel, about 10 s in a fresh install, so that no run waits."""
    x = np.random.default_rng(0).normal(size=(32, 8)).astype(np.float32)
    for method in LAYOUTS:
        state, _ = start(method, x)
        advance(state, np.roll(x, 1, axis=1), 1)


def _begin(layout: Layout, x: FloatArray, settings: LayoutSettings) -> _Drawn:
    if layout.begin is not None and len(x) >= FEWEST_FOR_NEIGHBOURS and not _collapsed(x):
        return _Drawn(_first(layout, layout.begin, x, settings))
    axes = linear.axes_of_rows([x], layout.dims)
    return _Drawn(linear.centred_units(x) @ axes, axes, linear.spread(x), _pca_name(layout.dims))


def _first(layout: Layout, begin: Begin, x: FloatArray, settings: LayoutSettings) -> Points:
    """A neighbour map's first xy (n, dims), remembered: a page shows the base model, and its run begins with
    the same map. PCA is quick anyway."""
    question = (layout.key, settings, x.shape, blake2b(x.tobytes()).digest())
    xy = _firsts.pop(question, None)
    _firsts[question] = begin(x, settings, layout.dims) if xy is None else xy  # the newest last
    if len(_firsts) > REMEMBERED:
        del _firsts[next(iter(_firsts))]
    return _firsts[question]


def _move(layout: Layout, state: LayoutState, x: FloatArray) -> _Drawn:
    collapsed = _collapsed(x)
    if layout.move is not None and not state.axes.size:
        # With no neighbours to go by, nothing says where to move.
        return _Drawn(state.xy if collapsed else layout.move(state, x, layout.dims))
    if layout.needs_umap and len(x) >= FEWEST_FOR_NEIGHBOURS and not collapsed:
        return _begin(layout, x, state.settings)  # it began with all embeddings equal, and they came apart
    # Axes of all frames so far. They settle as the run goes on, and end as `layout_all` has them.
    total = _with_frame(state, x)
    axes = linear.aligned_axes(linear.axes_of(total.T @ total, layout.dims), state.axes)
    return _Drawn(linear.centred_units(x) @ axes, axes, total, _pca_name(layout.dims))


def _pca_name(dims: int) -> str:
    return "pca3d" if dims == 3 else "pca"


def _begin_equilibrium(x: FloatArray, settings: LayoutSettings, dims: int) -> Points:
    from . import equilibrium

    graph = equilibrium.neighbour_graph(cosine_distances(x), settings.neighbours)
    initial = linear.centred_units(x) @ linear.axes_of_rows([x], dims)
    return equilibrium.first_layout(graph, initial, settings.seed)


def _move_equilibrium(state: LayoutState, x: FloatArray, dims: int) -> Points:
    from . import equilibrium

    graph = equilibrium.neighbour_graph(cosine_distances(x), state.settings.neighbours)
    return equilibrium.follow(graph, state.xy)


def _begin_umap(x: FloatArray, settings: LayoutSettings, dims: int) -> Points:
    from . import equilibrium

    return equilibrium.plain_umap(unit_rows(x), settings.neighbours, dims, settings.seed)


def _move_umap(state: LayoutState, x: FloatArray, dims: int) -> Points:
    from . import equilibrium

    return equilibrium.turned_to(_begin_umap(x, state.settings, dims), state.xy)


def _with_frame(state: LayoutState, x: FloatArray) -> Points:
    return linear.spread(x, state.spread) if state.axes.size else state.spread


def _fixed_axes(layout: Layout, xs: list[FloatArray], steps: list[int]) -> list[Frame]:
    axes = linear.axes_of(np.sum([linear.scatter(x) for x in xs], axis=0), layout.dims)
    drawn = [_Drawn(linear.centred_units(x) @ axes) for x in xs]
    unit = _size(drawn[0].xy)
    unit = unit if unit > SAME else 1.0
    return [_frame(step, d, unit, x, layout.key) for step, d, x in zip(steps, drawn, xs, strict=True)]


def _frame(step: int, drawn: _Drawn, unit: float, x: FloatArray, method: str) -> Frame:
    xy = (drawn.xy / unit).astype(np.float32)
    size = _size(xy)
    if size > CALM_GROWTH:
        room = LARGEST_GROWTH - CALM_GROWTH
        xy = xy * np.float32((CALM_GROWTH + room * np.tanh((size - CALM_GROWTH) / room)) / size)
    true, on_map = cosine_distances(x), squared_distances(xy)
    trust = trust_from_distances(true, on_map)
    for array in (xy, trust):
        array.setflags(write=False)
    return Frame(step, xy, trust, trustworthiness_from_distances(true, on_map), drawn.method or method)


def _size(xy: NDArray) -> float:
    """Root mean square distance from the origin; 0 for no points."""
    return float(np.sqrt((np.asarray(xy, np.float64) ** 2).sum(axis=1).mean())) if len(xy) else 0.0


def _collapsed(x: FloatArray) -> bool:
    """All rows point the same way to float32 precision, so nobody is nearer to anybody."""
    units = unit_rows(x)
    return bool(np.abs(units - units[:1]).max(initial=0.0) < SAME)


def _layout(method: str) -> Layout:
    if method not in LAYOUTS:
        raise InputError(f"There is no layout {method!r}. Choose one of: {', '.join(LAYOUTS)}.")
    return LAYOUTS[method]


def _checked(embeddings: NDArray) -> FloatArray:
    x = np.array(embeddings, np.float32)  # a copy: states never share memory with their caller
    assert x.ndim == 2, f"embeddings must be (n, d), not {x.shape}"
    finite = np.isfinite(x).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite)) + 1
        raise InputError(
            f"The embedding of sentence {row} holds values that are not finite numbers and cannot be drawn. "
            "Rewind the run and try a lower learning rate."
        )
    return x


_ROWS = (
    Layout(
        "equilibrium",
        "Neighbour map (moves with the model)",
        "Neighbours stay neighbours. The map moves on from where it stood, only when the model does.",
        2,
        _begin_equilibrium,
        _move_equilibrium,
    ),
    Layout(
        "pca",
        "PCA (a flat shadow)",
        "The two directions of largest spread; distances can be hidden but are never invented.",
        2,
    ),
    Layout(
        "umap",
        "UMAP (drawn anew each time)",
        "umap-learn fitted from scratch at every frame; points may jump though little changed.",
        2,
        _begin_umap,
        _move_umap,
    ),
    Layout(
        "pca3d",
        "PCA in 3-D",
        "The three directions of largest spread, to be turned by hand.",
        3,
    ),
    Layout(
        "equilibrium3d",
        "Neighbour map in 3-D",
        "The neighbour map with room for one more direction, to be turned by hand.",
        3,
        _begin_equilibrium,
        _move_equilibrium,
    ),
)
LAYOUTS: dict[str, Layout] = {row.key: row for row in _ROWS}
DEFAULT_LAYOUT = "equilibrium"
