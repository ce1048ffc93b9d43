"""What Classification remembers of a visit: name, default and bounds of each key (ui/keys.py)."""

from __future__ import annotations

from ui.keys import Key

VIEW = Key("cls", "Learning curve", url=True)
SET = Key("cls_set", "sentiment", url=True)
TEXT = Key("cls_text", "")  # the learner's own labelled sentences; packed into the link
LABELS = Key("cls_labels", "groups", url=True)  # or "attribute": the second label of a built-in set
METHOD = Key("cls_method", "logistic", url=True)
K = Key("cls_k", 5, url=True, low=1, high=25)
SEED = Key("cls_seed", 7, url=True, low=0, high=10_000)
NEW = Key("cls_new", "The waiter was rude and the room was dirty.", url=True)
FOLDER = Key[str | None]("cls_folder", None, visit=True)  # of an uploaded collection
FILE_ERROR = Key[str | None]("cls_file_error", None)
MODEL = Key("cls_model", "minilm-l6", url=True)  # that embeds it
WORDS = Key("cls_words", "")  # descriptions of the classes for zero-shot; packed into the link
RUN = Key[str | None]("cls_run", None)  # the run whose fine-tuned vectors are compared
GUESSES = {
    name: Key[str | None](f"cls_guess_{name}", None, url=True)
    for name in ("curve", "confusion", "tuned", "zero")
}
