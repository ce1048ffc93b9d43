"""Every session-state and URL key in one table: its name, its default (and so its type), and where it lives.

ui/state.py reads and writes them and passes them on, so that pages say `state.SET`. One block a page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from core.concepts.concentration import FEWEST_POINTS, MOST_POINTS
from core.concepts.sandbox import POINTS
from core.training.controls import BY_FIELD, CONTROLS

T = TypeVar("T")


@dataclass(frozen=True)
class Key(Generic[T]):
    """One value that outlives a script run. `default` is shared, so it is never a mutable value.

    `url`: it also stands in the address. `low` and `high` bound a number, on the page and in the address.
    """

    name: str
    default: T
    url: bool = False
    low: T | None = None
    high: T | None = None

    @property
    def bounds(self) -> tuple[T, T]:
        """(lowest, highest), for the slider or field that sets this number."""
        assert self.low is not None and self.high is not None, f"{self.name} has no bounds"
        return self.low, self.high


# Train live
SET = Key("set", "sentiment", url=True)
TEXT = Key("text", "")  # the sentences, when they were typed; packed into the link
PAIR_TEXT = Key("pair_text", "")  # typed and marked pairs; packed into the link
PAIR_MODE = Key("pairs", "groups", url=True)
PAIR_COUNT = Key("pair_count", 120, url=True, low=2, high=5000)
PAIR_SEED = Key("pair_seed", 7, url=True, low=0, high=99_999)
HELD_OUT = Key("held_out", 0.25, url=True, low=0.0, high=0.5)
LAYOUT = Key("layout", "equilibrium", url=True)
COLOUR = Key("colour", "group", url=True)
LABELS = Key("labels", False, url=True)
TRAILS = Key("trails", False, url=True)
FORCES = Key("forces", False, url=True)
PANEL = Key("panel", "Progress", url=True)
SUGGESTED = Key[tuple[str, ...]]("suggested", ())  # settings that the chosen set brought
RUN_ID = Key[str | None]("run_id", None)
RUN_IDS = Key[tuple[str, ...]]("run_ids", ())
UPLOAD_ERROR = Key[str | None]("upload_error", None)
PAIR_UPLOAD_ERROR = Key[str | None]("pair_upload_error", None)
UPLOAD_SAID = Key[tuple[str, ...]]("upload_said", ())  # what was noticed in the uploaded file
PAIR_UPLOAD_SAID = Key[tuple[str, ...]]("pair_upload_said", ())
EARLIER_TEXT = Key("earlier_text", "")  # what a copy or an upload replaced in the text area
PAIR_SET = Key("pair_set", "")  # the set that the typed pairs are about
PAIR_DRAFTS = Key[tuple[tuple[str, str], ...]]("pair_drafts", ())  # typed pairs of the other sets
MESSAGE = Key[str | None]("message", None)
MARKED = Key("marked", "")  # pairs just marked on the map, which the next run adds to the typed ones
MINED = Key("mined", "")  # mined pairs as rows of the set; packed into the link
MINE_KIND = Key("mine_kind", "both", url=True)

# Bi-encoder vs cross-encoder
BVC_VIEW = Key("bvc", "Rank", url=True)
BVC_QUERY = Key("bvc_query", "A woman is slicing a tomato.", url=True)
BVC_CANDIDATES = Key(
    "bvc_candidates",
    "A man is slicing a tomato.\nSomeone cuts a tomato into pieces.\nA woman is slicing an onion.\n"
    "The tomato grows in a garden.\nTomatoes are cheap this week.\nThe stock market fell today.",
    url=True,
)
BVC_LEFT = Key("bvc_a", "The river rose after the heavy rain.", url=True)
BVC_RIGHT = Key("bvc_b", "Rain made the water in the river higher.", url=True)
BVC_LAYER = Key("bvc_layer", "average", url=True)
BVC_HEAD = Key("bvc_head", "average", url=True)
BVC_LOOK = Key("bvc_look", "A looks at B", url=True)
BVC_SPECIAL = Key("bvc_special", False, url=True)
BVC_GUESS_RANK = Key[str | None]("bvc_guess_rank", None, url=True)
BVC_GUESS_ORDER = Key[str | None]("bvc_guess_order", None, url=True)
BVC_GUESS_COST = Key[str | None]("bvc_guess_cost", None, url=True)
BVC_GUESS_RACE = Key[str | None]("bvc_guess_race", None, url=True)
BVC_MEASUREMENT = Key("bvc_measurement", 0)
BVC_SET = Key("bvc_set", "negation", url=True)
BVC_OWN = Key("bvc_own", "", url=True)
BVC_STEPS = Key("bvc_steps", 60, url=True, low=10, high=200)
BVC_RATE = Key("bvc_rate", 1e-4, url=True)
BVC_LOSS = Key("bvc_loss", "contrastive", url=True)
BVC_PAIRS = Key("bvc_pairs", 80, url=True, low=20, high=200)
BVC_TRAINED = Key("bvc_layers", 2, url=True, low=1, high=6)
BVC_SEED = Key("bvc_seed", 7, url=True, low=BY_FIELD["seed"].least, high=BY_FIELD["seed"].most)
BVC_MEASURE = Key("bvc_measure", "Accuracy", url=True)
BVC_AGAINST = Key("bvc_against", "Seconds", url=True)
BVC_RACE = Key[Any]("bvc_race", None)  # the race on the page: pages/bi_vs_cross/race.py's Watched

# From text to vector
TTV_VIEW = Key("ttv", "Word pieces", url=True)
TTV_TEXT = Key("ttv_text", "The ferrywoman's unflappable dog watched the river bank.", url=True)
TTV_OTHER = Key("ttv_other", "The ferrywoman's unflappable dog watched the savings bank.", url=True)
TTV_MODEL = Key("ttv_model", "minilm-l6", url=True)
TTV_SEED = Key("ttv_seed", 7, url=True, low=0, high=9999)
TTV_LAYER = Key("ttv_layer", 6, url=True, low=0)
TTV_POOLING = Key("ttv_pooling", "mean", url=True)
TTV_GUESS_PIECES = Key[str | None]("ttv_guess_pieces", None, url=True)
TTV_GUESS_LAYERS = Key[str | None]("ttv_guess_layers", None, url=True)
TTV_GUESS_POOLING = Key[str | None]("ttv_guess_pooling", None, url=True)
TTV_GUESS_NUMBERS = Key[str | None]("ttv_guess_numbers", None, url=True)
TTV_GUESS_CHANGE = Key[str | None]("ttv_guess_change", None, url=True)

# Similarity
SIM_VIEW = Key("sim", "Matrix", url=True)
SIM_TEXT = Key(
    "sim_text",
    "The cat sleeps on the sofa.\nShare prices fell on Monday.\nShe bakes bread every morning.\n"
    "A kitten naps on the couch.\nThe central bank raised its rates.\nThe dog barks at the postman.\n"
    "The oven smells of fresh rolls.\nStocks lost value this week.\nAdd a pinch of salt to the dough.",
    url=True,
)
SIM_MODEL = Key("sim_model", "minilm-l6", url=True)
SIM_SEED = Key("sim_seed", 7, url=True, low=0, high=9999)
SIM_UNIT = Key("sim_unit", True, url=True)
SIM_MEASURE = Key("sim_measure", "cosine", url=True)
SIM_ORDER = Key("sim_order", "typed", url=True)
SIM_GROUPS = Key("sim_clusters", 3, url=True, low=1)
SIM_ANCHOR = Key("sim_anchor", 1, url=True)  # places in the list, from 1
SIM_STRETCHED = Key("sim_stretched", 2, url=True)
SIM_FACTOR = Key("sim_factor", 1.0, url=True, low=0.2, high=5.0)
SIM_KIND = Key("sim_kind_shown", "Negation", url=True)
SIM_OWN = Key(
    "sim_own",
    "The lift is out of order. | The elevator does not work. | The lift is in order.\n"
    "I lent her my bike. | She borrowed my bike. | She lent me her bike.",
    url=True,
)
SIM_GUESS_SIGN = Key[str | None]("sim_guess_sign", None, url=True)
SIM_GUESS_ORDER = Key[str | None]("sim_guess_order", None, url=True)
SIM_GUESS_KIND = Key[str | None]("sim_guess_kind", None, url=True)

# High dimensions
HD_VIEW = Key("hd", "Distances", url=True)
HD_POINTS = Key("hd_points", 100, url=True, low=FEWEST_POINTS, high=MOST_POINTS)
HD_SEED = Key("hd_seed", 7, url=True, low=0, high=9999)
HD_CLOUD = Key("hd_cloud", "cube", url=True)
HD_DIM = Key("hd_dim", 384, url=True)
HD_SET = Key("hd_set", "bank_intents", url=True)
HD_TEXT = Key("hd_text", "", url=True)
HD_NEIGHBOURS = Key("hd_neighbours", 10, url=True, low=2, high=50)
HD_MAP_SEED = Key("hd_map_seed", 7, url=True, low=0, high=9999)
HD_COLOUR = Key("hd_colour", "group", url=True)
HD_LOOK = Key("hd_look", "umap", url=True)
HD_POINT = Key("hd_point", 1, url=True)  # place in the list, from 1
HD_GUESS_RATIO = Key[str | None]("hd_guess_ratio", None, url=True)
HD_GUESS_REAL = Key[str | None]("hd_guess_real", None, url=True)
HD_GUESS_MAP = Key[str | None]("hd_guess_map", None, url=True)

# Search
SEARCH_VIEW = Key("search", "Search", url=True)
SEARCH_CORPUS = Key("search_corpus", "Built-in passages", url=True)
SEARCH_TEXT = Key("search_text", "")  # the learner's own passages; often too long for a link
SEARCH_ANSWERS = Key("search_answers", "")  # questions about them, with known answers
SEARCH_QUERY = Key("search_query", "Is the hidden half of the Moon always dark?", url=True)
SEARCH_SHOWN = Key("search_shown", 5, url=True, low=3, high=20)
SEARCH_DEPTH = Key("search_depth", 20, url=True, low=5, high=100)
SEARCH_AT = Key("search_at", 5, url=True, low=1, high=20)
SEARCH_GUESS = Key[str | None]("search_guess", None, url=True)
SEARCH_GUESS_BEST = Key[str | None]("search_guess_best", None, url=True)
SEARCH_STOPPED = Key("search_stopped", False)
SEARCH_FILE = Key[tuple[str, str] | None]("search_file", None)  # name and text of an uploaded corpus
SEARCH_ERROR = Key[str | None]("search_error", None)

# Study cards
LEARNER = Key("learner", "")  # the learner's own key; in the address of the study page only
STUDY_VIEW = Key("study", "Study", url=True)
STUDY_DECK = Key("study_deck", "all", url=True)
STUDY_MODE = Key("study_mode", "flip", url=True)
STUDY_SURE = Key("study_sure", False, url=True)  # ask for confidence before the flip
STUDY_TURN = Key[Any]("study_turn", None)  # the card on the table: pages/study/session.py's Turn
STUDY_NEXT = Key[str | None]("study_next", None)  # a card to show before all others, after an undo
STUDY_EXTRA = Key("study_extra", 0)  # new cards asked for beyond today's plan
STUDY_SAID = Key[str | None]("study_said", None)
STUDY_SEARCH = Key("study_search", "", url=True)
STUDY_CARD = Key[str | None]("study_card", None)  # the card open in Browse
STUDY_PASTED = Key("study_pasted", "")
REWIND_OPEN = Key("rewind_open", False)
RUN_CARD = Key("run_card", 0)
RUN_CARD_FLIPPED = Key("run_card_flipped", "")

# Losses and forces
LS_PRESET = Key("ls", "start", url=True)
LS_LOSS = Key("ls_loss", "contrastive", url=True)
LS_TOLD = Key("ls_told", "true", url=True)
LS_NEGATIVES = Key("ls_negatives", True, url=True)
LS_MARGIN = Key("ls_margin", 0.5, url=True, low=0.05, high=2.0)
LS_TEMPERATURE = Key("ls_temperature", 0.1, url=True, low=0.01, high=1.0)
LS_RATE = Key("ls_rate", 2.0, url=True)
LS_POINTS = Key("ls_points", 12, url=True, low=POINTS[0], high=POINTS[1])
LS_GROUPS = Key("ls_groups", 3, url=True, low=2, high=5)
LS_SPACE = Key("ls_space", "circle", url=True)
LS_SEED = Key("ls_seed", 7, url=True, low=0, high=10_000)
LS_PLACES = Key("ls_places", "")  # where points were dragged to; packed into the link
LS_STANDING = Key[Any]("ls_standing", None)  # pages/losses/views.py's Standing
LS_RUNNING = Key("ls_running", False)
LS_GUESSES = {
    name: Key[str | None](f"ls_guess_{name}", None, url=True)
    for name in ("start", "collapse", "false", "margin")
}

# Classification
CLS_VIEW = Key("cls", "Learning curve", url=True)
CLS_SET = Key("cls_set", "sentiment", url=True)
CLS_TEXT = Key("cls_text", "")  # the learner's own labelled sentences; packed into the link
CLS_LABELS = Key("cls_labels", "groups", url=True)  # or "attribute": the second label of a built-in set
CLS_METHOD = Key("cls_method", "logistic", url=True)
CLS_K = Key("cls_k", 5, url=True, low=1, high=25)
CLS_SEED = Key("cls_seed", 7, url=True, low=0, high=10_000)
CLS_NEW = Key("cls_new", "The waiter was rude and the room was dirty.", url=True)
CLS_WORDS = Key("cls_words", "")  # descriptions of the classes for zero-shot; packed into the link
CLS_RUN = Key[str | None]("cls_run", None)  # the run whose fine-tuned vectors are compared
CLS_GUESSES = {
    name: Key[str | None](f"cls_guess_{name}", None, url=True)
    for name in ("curve", "confusion", "tuned", "zero")
}

# Contrast
CON_VIEW = Key("con", "Words", url=True)
CON_P = Key("con_p", "The nurse gave the patient a painkiller.", url=True)
CON_Q = Key("con_q", "The nurse refused the patient a painkiller.", url=True)
CON_TRIPLETS = Key(
    "con_triplets",
    "How do I reset my PIN? | I forgot my PIN and need a new one. | How do I change my address?\n"
    "The match was cancelled. | They called the game off. | The match was not cancelled.\n"
    "A dog bit a man. | A man was bitten by a dog. | A man bit a dog.",
    url=True,
)
CON_SET = Key("con_set", "bank_intents", url=True)
CON_TEXT = Key("con_text", "")  # the learner's own grouped sentences; packed into the link
CON_COUNT = Key("con_count", 48, url=True, low=8, high=200)
CON_STEPS = Key("con_steps", 40, url=True, low=10, high=200)
CON_SEED = Key("con_seed", 7, url=True, low=0, high=10_000)
CON_RUNS = Key[tuple[str, ...]]("con_runs", ())  # run ids: random negatives, hard negatives
CON_OUTCOMES = Key[tuple[Any, ...]](
    "con_outcomes", ()
)  # pages/contrast/views.py's Outcome, one a finished comparison
CON_GUESSES = {
    name: Key[str | None](f"con_guess_{name}", None, url=True) for name in ("words", "triplets", "hard")
}

# Lessons
LESSON = Key("lesson", "", url=True)  # the open lesson; "" is the list, "own" the teacher's pasted one
LESSON_STEPS_OPEN = Key("lesson_steps_open", False)  # a list that a click on one of its steps closes
LESSON_STEP = Key("lesson_step", "")  # from 1; where the learner stands, in the address of an open lesson
LESSON_VIEW = Key("lesson_view", "Lessons", url=True)
LESSON_SEED = Key("lesson_seed", 7, url=True, low=0, high=9999)  # of every run of a lesson
LESSON_TEXT = Key("lesson_text", "")  # a lesson file as a teacher wrote it; packed into the link
LESSON_BEFORE = Key("lesson_before", "")  # what an uploaded lesson file took the place of
LESSON_ERROR = Key[str | None]("lesson_error", None)
LESSON_KEPT = Key[Any]("lesson_kept", None)  # lesson -> core.lessons.progress.Progress, as a tuple of pairs
LESSON_RUNS = Key[Any]("lesson_runs", None)  # (lesson, step) -> run id, as a tuple of pairs
LESSON_SAID = Key[str | None]("lesson_said", None)

# Glossary
GLOSSARY_SEARCH = Key("glossary_search", "", url=True)
GLOSSARY_TERM = Key("term", "embedding", url=True)
GLOSSARY_MAP = Key("glossary_map", "Around one term", url=True)

# Compare runs, and what is kept
CMP_A = Key("cmp_a", "", url=True)  # "run:ID" or "base:KEY"
CMP_B = Key("cmp_b", "", url=True)
CMP_A_STEP = Key("cmp_a_step", 0, url=True)
CMP_B_STEP = Key("cmp_b_step", 0, url=True)
CMP_MAP = Key("cmp_map", "Side by side", url=True)
CMP_BLEND = Key("cmp_blend", 0.5, url=True, low=0.0, high=1.0)
CMP_LAST = Key[tuple[tuple[str, int], ...]]("cmp_last", ())  # (run id, its newest step when last shown)
CMP_VIEW = Key("cmp", "Neighbours", url=True)
CMP_TEXT = Key("cmp_text", "", url=True)  # the sentence typed now
CMP_GUESS = Key[str | None]("cmp_guess", None, url=True)
CMP_SELECTED = Key[tuple[str, ...]]("cmp_selected", ())  # on both maps
CMP_SEEN = Key[tuple[Any, ...]]("cmp_seen", ((), ()))  # what each map said last
CMP_PINNED = Key[tuple[str, ...]]("cmp_pinned", ())
KEEP_TITLES = Key[tuple[tuple[str, str], ...]]("keep_titles", ())  # (run id, title) of opened runs
KEEP_FORM = Key[Any]("keep_form", None)  # title and note as typed, for downloads made outside the script
KEEP_BASE_OPEN = Key("keep_base_open", False)
KEEP_SAID = Key[tuple[str, str] | None]("keep_said", None)  # ("done" or "wrong", a sentence)

# SBERT's objective
SB_VIEW = Key("sb", "Two passes", url=True)
SB_PREMISE = Key("sb_a", "A man in a red jacket is repairing a bicycle in the street.", url=True)
SB_HYPOTHESIS = Key("sb_b", "Someone is fixing a bike outdoors.", url=True)
SB_SOURCE = Key("sb_pairs", "Built-in pairs", url=True)
SB_TEXT = Key("sb_text", "")  # the learner's own pairs with their class; packed into the link
SB_MODES = Key[tuple[str, ...]]("sb_modes", ("u,v", "|u-v|", "u*v", "u,v,|u-v|"), url=True)
SB_STEPS = Key("sb_steps", 30, url=True, low=5, high=100)
SB_RATE = Key("sb_rate", 2e-4, url=True)
SB_LAYERS = Key("sb_layers", 2, url=True, low=1, high=6)
SB_SEEDS = Key("sb_seeds", 1, url=True, low=1, high=5)
SB_SEED = Key("sb_seed", 7, url=True, low=0, high=10_000)
SB_STUDIES = {what: Key[Any](f"sb_study_{what}", None) for what in ("concatenation", "pooling")}
SB_GUESSES = {
    name: Key[str | None](f"sb_guess_{name}", None, url=True) for name in ("swap", "data", "modes", "pooling")
}

# Fine-tuning gone wrong
GW_WHAT = Key("gw", "collapse", url=True)
GW_SOURCE = Key("gw_text_from", "Built-in sentences", url=True)
GW_TEXT = Key("gw_text", "")  # the learner's own grouped sentences; packed into the link
GW_SEED = Key("gw_seed", 7, url=True, low=0, high=10_000)
GW_RUNS = Key[Any]("gw_runs", None)  # pages/failures/views.py's Watched, one for each experiment
GW_GUESSES = {
    name: Key[str | None](f"gw_guess_{name}", None, url=True)
    for name in ("collapse", "negatives", "rate", "forgetting", "overfitting")
}

# Word2Vec
W2V_VIEW = Key("w2v", "Neighbours", url=True)
W2V_SOURCE = Key("w2v_from", "grammar", url=True)
W2V_TEXT = Key("w2v_text", "")  # the learner's own text; packed into the link
W2V_DIMENSIONS = Key("w2v_dimensions", 50, url=True, low=2, high=200)
W2V_WINDOW = Key("w2v_window", 4, url=True, low=1, high=10)
W2V_NEGATIVES = Key("w2v_negatives", 5, url=True, low=0, high=20)
W2V_SUBSAMPLE = Key("w2v_subsample", 0.01, url=True)
W2V_EPOCHS = Key("w2v_epochs", 20, url=True, low=1, high=200)
W2V_RATE = Key("w2v_rate", 0.05, url=True)
W2V_SEED = Key("w2v_seed", 7, url=True, low=0, high=10_000)
W2V_SHOWN = Key("w2v_shown", 80, url=True, low=20, high=200)
W2V_FORCES = Key("w2v_forces", False, url=True)
W2V_WORD = Key("w2v_word", "", url=True)  # "" is the first choice of the text
W2V_ANALOGY = Key("w2v_analogy", "", url=True)  # three words; "" is the first choice of the text
W2V_AT = Key("w2v_at", "")  # how far the run had come when the link was made
W2V_RUN = Key[Any]("w2v_run", None)  # the run on the page: pages/word2vec/setup.py's Watched
W2V_GUESSES = {
    name: Key[str | None](f"w2v_guess_{name}", None, url=True) for name in ("neighbour", "collapse")
}

CONFIG = {c.field: Key(c.field, c.default, url=True, low=c.least, high=c.most) for c in CONTROLS}
