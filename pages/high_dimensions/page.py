"""High dimensions: how distances concentrate, what real sentences do instead, what a flat map leaves out."""

from __future__ import annotations

import streamlit as st

from core.concepts.flat_maps import TITLES
from core.concepts.high_dimensions import DIMENSIONS
from pages.high_dimensions import keys
from pages.high_dimensions import views as hd
from ui import kit, state, widgets
from ui.predictions.gate import predict

PATH = "high-dimensions"


def distances() -> None:
    st.markdown(
        "Throw points at random and ask one of them how far away the others are. In the plane some are near "
        "and some are far. Then give the points more coordinates."
    )
    widgets.mend(keys.DIM, DIMENSIONS)
    question = (
        f"In {state.get(keys.DIM)} dimensions: how many times as far as its nearest is a point's farthest?"
    )
    gate = predict(keys.GUESS_RATIO, question, hd.RATIOS, "Measured for a typical point: the median of all.")
    here = hd.concentrating(hd.clouds())
    gate.tell(
        hd.ratio_name(here.ratio),
        f"A distance adds up {here.dims} independent differences. "
        + (
            "Sums of many such terms come out nearly alike: nearest and farthest draw level, and random "
            "directions end up nearly at right angles. Beyer and others showed in 1999 that this happens "
            "under broad conditions."
            if here.ratio < 2
            else "Sums of so few terms still differ a lot, so near and far mean something. Choose more "
            "dimensions and watch the curve."
        ),
    )


def real() -> None:
    st.markdown(
        "Embeddings are no random points. Compare the vectors of sentences with as many random directions in "
        "the same number of dimensions."
    )
    found = hd.points()
    question = "Where is the farthest more times as far as the nearest?"
    options = ("Among these points", "Among random directions")
    gate = predict(keys.GUESS_REAL, question, options, "The farthest over the nearest, of a typical point.")
    these, random = hd.beside_chance(found)
    gate.tell(
        options[0] if these.ratio > random.ratio else options[1],
        f"{these.ratio:.2f} times here, {random.ratio:.2f} times at random. "
        + (
            "These points lie in fewer directions than random ones would: the variance"
            if round(these.effective) < round(random.effective)
            else "These points fill the space as random directions do: the variance"
        )
        + f" is spread as if over {these.effective:.0f} dimensions, against {random.effective:.0f} for "
        "random ones. (With n points it cannot be more than n − 1.)",
    )


def maps() -> None:
    st.markdown(
        "Two numbers cannot keep what 384 hold. **PCA** looks from the side where the points spread most. "
        "**t-SNE** and **UMAP** place points anew so that neighbours stay together, and let the rest go. "
        "Rings mark the true neighbours of the point you choose: look where each map puts them."
    )
    found = hd.points()
    question = "Which map keeps most of the true neighbours?"
    rule = "The largest mean share of a point's true neighbours that stand next to it on the map."
    gate = predict(keys.GUESS_MAP, question, tuple(TITLES.values()), rule, height=560)
    drawn = hd.maps(found)
    gate.tell(
        hd.best(drawn, gate.guess),
        "Now change the seed: PCA stays, the other two come out turned, mirrored or arranged in another way, "
        "while who is whose neighbour mostly returns. Believe that, and neither the gaps nor the sizes of "
        "groups. With random vectors and few neighbours you can see islands that mean nothing.",
    )
    st.subheader("Where the map misleads", anchor=False)
    hd.misleading(found, drawn)


VIEWS = {"Distances": distances, "Real sentences": real, "Flat maps": maps}

LEAD = (
    "A sentence becomes 384 numbers: a point in a space nobody can picture. Some of what you know about "
    "space does not hold there, and every map on a screen has to leave something out."
)
kit.page_of_views(PATH, LEAD, keys.VIEW, VIEWS)
