"""Fine-tuning gone wrong: break a model on purpose, beside a run that does it right, and measure."""

from __future__ import annotations

import streamlit as st

from core.metrics import probe
from pages.failures import keys, views
from ui import kit, state
from ui.predictions.gate import predict

PATH = "gone-wrong"

state.open_link(keys.TEXT)
kit.opening(
    PATH,
    "Training rarely fails with an error. The loss falls, the curves look fine, and the model is worse than "
    "before. Each experiment here breaks one on purpose, beside a run that is trained differently.",
)
main, _ = kit.columns(PATH)

with main:
    experiment = views.choose()
    st.markdown(experiment.about)
    with kit.sentences_not_tracebacks():
        prepared = views.plans(experiment, views.material(experiment))
        rule = f"{experiment.number}, in the run with {experiment.broken_name}."
        gate = predict(keys.GUESSES[experiment.key], experiment.question, experiment.options, rule)
        views.buttons(experiment, prepared)
        views.watch(experiment, prepared)
        if result := views.outcome(experiment, prepared):
            gate.tell(*result)

    with st.expander("What is measured, and how"):
        st.markdown(
            "- **Mean cosine, different groups**: over all pairs of the experiment's sentences from "
            "different groups. Near 1 means collapse.\n"
            "- **Mean cosine, same group, not paired**: over pairs that share a group but were never "
            "trained as a pair.\n"
            "- **AUC**: the chance that a similar pair has a higher cosine than a dissimilar one; 0.5 is "
            "guessing. Held-out pairs share no sentence with training pairs.\n"
            "- **Rank correlation with the probe**: Spearman, between the cosines of forty everyday pairs "
            f"and their grades. {probe.probe_source()}. No run trains on them.\n"
            "- Both runs share the seed and are measured every fifth step. Their settings are fixed here; "
            "on Train live everything can be changed."
        )
kit.keep_link(keys.TEXT)
