"""Widgets of "High dimensions": random clouds, the distances of real sentences, and three flat maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.concepts import flat_maps, high_dimensions
from core.concepts.flat_maps import TITLES, FlatMap, MisleadingPair
from core.concepts.high_dimensions import CLOUDS, DIMENSIONS, Spread
from core.data import sentence_sets
from core.types import FloatArray
from pages.high_dimensions import keys, plots
from ui import figures, inputs, kit, resources, state, widgets
from ui.charts import chart
from ui.figures.maps import flat_map
from ui.tables import folded_table, safe_table

RATIOS = ("Over 10 times", "2 to 10 times", "Under 2 times")
COLOURS = {"group": "Group", "trust": "Trust"}
NOISE = "noise"
HISTOGRAM_TABLE = "The histogram as a table"
NEIGHBOURS_SHOWN = 5


def ratio_name(ratio: float) -> str:
    return RATIOS[0] if ratio > 10 else RATIOS[1] if ratio >= 2 else RATIOS[2]


# --- Distances -----------------------------------------------------------------------------------


def clouds() -> tuple[Spread, ...]:
    """Random points in every number of dimensions, drawn with the settings on the page."""
    kind = widgets.segmented_control(keys.CLOUD, "Points", CLOUDS)
    left, right = st.columns([0.7, 0.3], vertical_alignment="bottom")
    points = widgets.slider(keys.POINTS, "How many", step=10, at=left)
    return _simulated(kind, points, widgets.number_input(keys.SEED, "Seed", at=right))


@st.cache_data(max_entries=50, show_spinner="Drawing points")
def _simulated(cloud: str, points: int, seed: int) -> tuple[Spread, ...]:
    return high_dimensions.simulate_all(cloud, points, seed)


def concentrating(found: tuple[Spread, ...]) -> Spread:
    """The curve over all dimensions, and the distances in two of them. Returns the chosen one."""
    dims = widgets.select_slider(keys.DIM, "Dimensions", DIMENSIONS)
    here = next(s for s in found if s.dims == dims)
    ratio, variation, cosines = st.columns(3)
    ratio.metric("Farthest / nearest", f"{here.ratio:.2f} times", help="For a typical point, the median one.")
    variation.metric("Spread of distances", f"{here.variation:.1%}", help="Standard deviation over mean.")
    theory = f"Theory: 1 / √{dims} = {dims**-0.5:.3f}."
    cosines.metric("Spread of cosines", f"{here.cosine_spread:.3f}", help=theory)
    st.caption(f"{state.get(keys.POINTS)} points in {dims} dimensions.")
    chart(
        plots.concentration([s.dims for s in found], [s.ratio for s in found], here.dims),
        "hd_curve",
        "Curve: farthest over nearest falls towards 1 as dimensions grow. The table has the values.",
    )
    st.markdown("**All distances, each divided by their mean**")
    plane, wide = found[0], here
    bins = figures.binned({f"{s.dims} dimensions": s.distances / s.distances.mean() for s in (plane, wide)})
    chart(
        figures.histogram(bins, x_title="distance / mean distance"),
        "hd_histogram",
        f"Histograms of the distances in {plane.dims} and in {wide.dims} dimensions.",
    )
    rows = bins.columns("distance / mean")
    folded_table(rows, title=HISTOGRAM_TABLE, key="hd_histogram_rows", name="distances")
    columns = {
        "dimensions": [s.dims for s in found],
        "farthest / nearest": [s.ratio for s in found],
        "spread of distances": [s.variation for s in found],
        "spread of cosines": [s.cosine_spread for s in found],
        "1 / √dimensions": [s.dims**-0.5 for s in found],
    }
    folded_table(columns, title="All dimensions as a table", key="hd_distances", name="concentration")
    return here


# --- Sentences -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """What is flattened or measured: texts, their groups (empty where there are none), vectors (n, d)."""

    texts: tuple[str, ...]
    groups: tuple[str, ...]
    z: FloatArray


def points() -> Points:
    """A built-in set, typed sentences, or random vectors. Raises InputError."""
    noise = {NOISE: "Random vectors, without any structure"}
    chosen = inputs.sentence_set(keys.SET, "Points", others=noise)
    if chosen == NOISE:
        z = high_dimensions.noise(100, 384, _seed())
        return Points(tuple(f"random vector {i + 1}" for i in range(len(z))), (), z)
    if chosen == inputs.OWN:
        label = f"Your sentences, one a line, at least {flat_maps.FEWEST}: group | sentence"
        sentence_set = inputs.own_sentences(widgets.text_area(keys.TEXT, label, height=200))
    else:
        sentence_set = sentence_sets.load_set(chosen).sentence_set
    groups = tuple(g or "no group" for g in sentence_set.groups) if sentence_set.has_groups else ()
    texts = sentence_set.texts
    z = kit.embedded("minilm-l6", 0, "mean", texts, busy="Reading the sentences")
    return Points(texts, groups, z)


def _seed() -> int:
    return widgets.number_input(keys.SEED, "Seed of the random vectors", width=220)


def beside_chance(found: Points) -> tuple[Spread, Spread]:
    """The real vectors beside as many random directions of the same length."""
    real = high_dimensions.spread(found.z)
    seed = state.get(keys.SEED) if state.get(keys.SET) == NOISE else _seed()
    # Another seed than the random vectors of `points` have, or those would be compared with themselves.
    random = high_dimensions.spread(high_dimensions.noise(len(found.z), found.z.shape[1], seed + 1))
    bins = figures.binned({"random directions": random.cosines, "these": real.cosines})
    chart(
        figures.histogram(bins, x_title="cosine"),
        "hd_cosines",
        "Histograms of the cosines of all pairs: random directions lie in a narrow peak at zero.",
    )
    rows = {
        "farthest / nearest": (real.ratio, random.ratio),
        "mean cosine": (real.cosine_mean, random.cosine_mean),
        "spread of cosines": (real.cosine_spread, random.cosine_spread),
        "spread of distances": (real.variation, random.variation),
        "effective dimensions": (real.effective, random.effective),
    }
    here, chance = zip(*rows.values())
    columns = {"": list(rows), "these": list(here), "random": list(chance)}
    safe_table(columns, key="hd_real", name="real-against-random")
    folded_table(bins.columns("cosine"), title=HISTOGRAM_TABLE, key="hd_cosine_rows", name="cosines")
    return real, random


# --- Flat maps -----------------------------------------------------------------------------------


def maps(found: Points) -> dict[str, FlatMap]:
    """The same points on three maps, side by side, with one point's true neighbours ringed on each."""
    left, right = st.columns([0.7, 0.3], vertical_alignment="bottom")
    meaning = "UMAP's n_neighbors and t-SNE's perplexity: how many others a point tries to stay with."
    neighbours = widgets.slider(keys.NEIGHBOURS, "Neighbours", help=meaning, at=left)
    seed = widgets.number_input(keys.MAP_SEED, "Seed of the maps", at=right)
    colour = widgets.segmented_control(keys.COLOUR, "Colour", COLOURS)
    point = inputs.numbered(keys.POINT, f"Ring the {NEIGHBOURS_SHOWN} true neighbours of", found.texts)
    ringed = flat_maps.true_neighbours(found.z, point, NEIGHBOURS_SHOWN).tolist()
    for method in TITLES:  # all are asked before the first is waited for
        resources.later(flat_maps.draw, method, found.z, neighbours, seed, lane=_lane(method))
    drawn: dict[str, FlatMap] = {}
    for column, (method, title) in zip(st.columns(len(TITLES)), TITLES.items()):
        with column:
            busy = f"Drawing {title}"
            drawn[method] = one = kit.ask(
                flat_maps.draw, method, found.z, neighbours, seed, lane=_lane(method), busy=busy
            )
            st.markdown(f"**{title}**: keeps {one.trust.mean():.0%} of the neighbours")
            trust = one.trust if colour == "trust" else None
            figure = flat_map(
                one.xy, found.texts, groups=found.groups, trust=trust, chosen=point, ringed=ringed
            )
            chart(figure, f"hd_{method}", f"{title} map of {len(found.texts)} points.")
            true = "" if one.trustworthiness is None else f"Trustworthiness {one.trustworthiness:.3f}. "
            kept = "" if one.kept is None else f"Holds {one.kept:.0%} of the variance."
            st.caption(true + kept)
    columns = {
        f"{TITLES[m]} {what}": v.astype(float) for m, one in drawn.items() for what, v in _columns(one)
    }
    folded_table({"point": found.texts, **columns}, key="hd_maps", name="maps")
    return drawn


def _lane(method: str) -> str:
    return "layout" if method == "umap" else "encode"


def _columns(one: FlatMap) -> tuple[tuple[str, FloatArray], ...]:
    return ("x", one.xy[:, 0]), ("y", one.xy[:, 1]), ("trust", one.trust)


def best(drawn: dict[str, FlatMap], guess: str | None) -> str:
    """The map that keeps most neighbours; of several the guessed one, if it is among them."""
    trust = {TITLES[m]: round(float(one.trust.mean()), 4) for m, one in drawn.items()}
    top = [title for title, value in trust.items() if value == max(trust.values())]
    return guess if guess in top else top[0]


def misleading(found: Points, drawn: dict[str, FlatMap]) -> None:
    """Pairs that look close and are not, and the other way round, on one of the maps."""
    one = drawn[widgets.segmented_control(keys.LOOK, "Map", TITLES)]
    for title, listed, key in (
        ("These two look close and are not", flat_maps.false_neighbours(found.z, one.xy), "hd_close"),
        ("These two look far apart and are close", flat_maps.missed_neighbours(found.z, one.xy), "hd_far"),
    ):
        st.markdown(f"**{title}**")
        if listed:
            _table(found, listed, key)
        else:
            st.caption("None: the closest tenth of the pairs is the same on the map and in space.")
    st.caption("“Closer” is the share of all pairs that are closer than this one, from 0 to 1.")


def _table(found: Points, listed: tuple[MisleadingPair, ...], key: str) -> None:
    columns = {
        "cosine": np.array([m.cosine for m in listed], float),
        "closer, on the map": np.array([m.map_quantile for m in listed], float),
        "closer, in space": np.array([m.true_quantile for m in listed], float),
        "one": [found.texts[m.left] for m in listed],
        "other": [found.texts[m.right] for m in listed],
    }
    safe_table(columns, key=key, name="misleading-pairs")
