"""Compare runs: two models, or one at two moments, on one map; what moved, what was gained and forgotten."""

from __future__ import annotations

import streamlit as st

from pages.compare import keys, maps, models, saving, views
from ui import kit, messages, pages
from ui.predictions.gate import predict

kit.opening(
    "compare",
    "Put two models side by side: a run before and after training, two moments of it, two runs, or two base "
    "models. Both are drawn on **one** layout, so what moved on the map moved in the model. Below the map "
    "everything is measured in all dimensions.",
)
main, _ = kit.columns("compare")
with main:
    # Containers are always there, so that what comes and goes in one closes no expander below it.
    with st.container(), kit.sentences_not_tracebacks():
        a, b = models.choose()
        if a.run is None and b.run is None:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.caption(
                    "These are two base models on the sentences of Train live. Train one there, and it "
                    "appears in the menus."
                )
                pages.link(pages.TRAIN, "Train a model")
        question = "From A to B, how many of a sentence's nearest neighbours stay the same?"
        gate = predict(keys.GUESS, question, views.STAYED, views.RULE, height=560)
        both = models.measured(a, b)
        with kit.sentences_not_tracebacks():
            maps.maps(both)
        gate.tell(*views.stayed(both))
        st.subheader("In all dimensions", anchor=False)
        with kit.sentences_not_tracebacks():
            views.in_all_dimensions(both)

    st.subheader("Keep and take home", anchor=False)
    with st.container():  # beside the buttons that it answers
        saving.say_what_happened()
    run = saving.kept_run()
    if run is None:
        st.caption("Once there is a run it can be saved here as one file, and its model taken home.")
    elif run.is_active:
        st.caption("The run is still training. Pause it or let it finish, then save it here.")
    else:
        with st.expander("Save this run", icon=":material/save:"):
            messages.plain(models.run_title(run))
            saving.save_form(run)
        with st.expander("Take home", icon=":material/output:"):
            saving.exports(run)
    with st.expander("My gallery", icon=":material/photo_library:"), kit.sentences_not_tracebacks():
        saving.gallery()
    with st.expander("Open a run file", icon=":material/folder_open:"):
        saving.open_file()
