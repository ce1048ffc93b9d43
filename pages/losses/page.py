"""Losses and forces: points one can drag, moved by the real losses, and four ways it can end."""

from __future__ import annotations

import streamlit as st

from core.losses import LOSSES
from core.types import InputError
from pages.losses import keys, sandbox, views
from ui import kit, messages, state
from ui.predictions.gate import predict

PATH = "losses"

sandbox.open_link()
kit.opening(
    PATH,
    "A loss says how wrong the vectors are; its gradient says where each of them should go. Here the vectors "
    "are points on a circle or a sphere, free to move. **Drag a point** and see what the loss makes of it, "
    "then let it run.",
)
main, side = kit.columns(PATH)

with main:
    views.choose_preset()
    chosen = sandbox.preset()
    rule = "Measured when the points have come to rest."
    asked = keys.GUESSES[state.get(keys.PRESET)]
    gate = predict(asked, chosen.question, chosen.options, rule, hides=False)

    stage, controls = st.columns([0.62, 0.38], gap="medium")
    with controls, st.container(border=True):
        views.settings()
    now, problem = None, ""
    with stage:
        try:
            now = sandbox.current()
        except InputError as error:
            problem = str(error)
        views.run_buttons(now is not None and bool(gate))
        messages.warning(problem)
        if now is not None:
            with kit.sentences_not_tracebacks():
                now = views.picture(now)

    if now is not None and gate:
        views.curve()
        views.answer(now, gate)

    st.subheader("What you see", anchor=False)
    st.markdown(
        "- **Black or white arrows** show where each point will move: against its gradient. The longest "
        "arrow since the loss was chosen has full length, so arrows shrink as the loss comes to rest.\n"
        "- **Lines** show what each pair adds: a solid blue line pulls the two together, a dashed vermillion "
        "line pushes them apart; the thicker, the stronger. Point at one of the points to see its pairs "
        "alone, each with a thin arrow. The thin arrows add up to the thick one.\n"
        "- **Drag** with the mouse or a finger, or use the keyboard: N and P choose a point, arrow keys move "
        "it. On a sphere, drag the background to turn it; hollow points are behind."
    )
    st.latex(LOSSES[now.objective.loss].formula if now else r"\,")
    with st.expander("Numbers behind the picture", icon=":material/table:"):
        if now is not None and gate and not state.get(keys.RUNNING):
            views.numbers(now)
        else:
            st.caption("The tables appear once the question is answered and the sandbox rests.")
    with st.expander("What is simplified here"):
        st.markdown(
            "In a model the vectors are not free: they come out of a network, and a step changes its "
            "weights, which moves every sentence at once. And there are 384 dimensions rather than two or "
            "three, so far more room to be apart. The losses are the very functions that Train live uses, "
            "with gradients by automatic differentiation. Two of its losses are missing: unsupervised SimCSE "
            "has the same formula as multiple negatives ranking and differs in where its pairs come from, "
            "and the softmax loss needs a classifier that learns along."
        )

if not state.get(keys.RUNNING):
    state.write_link(keys.POSITIONS)
