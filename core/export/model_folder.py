"""The tuned model to take home: a folder that sentence-transformers loads, with a card that says what it is.

Needs torch: these functions run in a worker process. Tables and files without a model: table_files.py.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import unicodedata
import zipfile
from pathlib import Path

from ..data.folders import model_folders
from ..metrics.table import METRICS
from ..types import InputError, Run

MAX_NAME = 60
# Windows keeps these names for devices, with any ending.
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(10))}
MODEL_TITLE = "A model tuned in Embedding Lab"


def model_folder(run: Run, checkpoint: str | None, folder: Path, title: str = MODEL_TITLE) -> None:
    """Write the model of that checkpoint file with its card; `SentenceTransformer(folder)` loads it."""
    from ..models.static import StaticEncoder, save_static
    from ..models.weights import save_folder
    from ..training.tuned import tuned

    encoder = tuned(run.config, checkpoint)
    if isinstance(encoder, StaticEncoder):
        save_static(encoder, folder)
    else:
        save_folder(encoder, folder, run.config.pooling)
    (folder / "README.md").write_text(model_card(run, title), encoding="utf-8")


def model_zip(run: Run, checkpoint: str | None, name: str, path: str) -> int:
    """The model folder as a zip file at `path`, its entries below `name`/; the file's size in bytes."""
    name = folder_name(name)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / name
        model_folder(run, checkpoint, folder, name)
        unfinished = Path(path + ".part")
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as archive:  # weights hardly compress
            for file in sorted(folder.rglob("*")):
                archive.write(file, str(Path(name) / file.relative_to(folder)))  # folders too: one is empty
    unfinished.replace(path)
    return Path(path).stat().st_size


def keep_model(run: Run, checkpoint: str | None, name: str) -> str:
    """Save the model among the base models; the key under which every page can choose it now.

    Raises InputError when a model of that name is there already, or the disk refuses.
    """
    from ..models import registry

    name = folder_name(name)
    home = model_folders()[0]
    target = home / name
    if target.exists() or name in registry.tuned_folders():
        raise InputError(f"A tuned model called {name!r} is there already: choose another name.")
    unfinished: Path | None = None
    try:
        home.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=home))
        model_folder(run, checkpoint, unfinished, name)
        unfinished.rename(target)
    except OSError as error:
        raise InputError(f"The model cannot be written to disk: {error.strerror or error}.") from error
    finally:
        if unfinished is not None and unfinished.exists():
            shutil.rmtree(unfinished, ignore_errors=True)
    return f"tuned:{name}"


def folder_name(name: str) -> str:
    """A name that is a safe folder on every system. Raises InputError for one without letters or digits."""
    plain = unicodedata.normalize("NFKC", name).strip()
    plain = re.sub(r"[^\w\- ]+", "", plain, flags=re.UNICODE).strip(" -_")
    plain = re.sub(r"\s+", "-", plain)[:MAX_NAME].strip("-")
    if not plain or plain.casefold() in RESERVED:
        raise InputError("The model needs a name with letters or digits, up to 60 characters.")
    return plain


def model_card(run: Run, title: str = MODEL_TITLE) -> str:
    """README.md of the model: what it learned from, with which settings, and how well. Markdown.

    Sentences stand in code spans, so that nothing a learner typed is read as Markdown or HTML.
    """
    config, first, last = run.config, run.snapshots[0], run.snapshots[-1]
    similar = sum(p.is_similar for p in run.pairs)
    lines = [
        "---",
        "library_name: sentence-transformers",
        "pipeline_tag: sentence-similarity",
        "tags: [sentence-transformers, embedding-lab]",
        "---",
        "",
        f"# {_inline(title)}",
        "",
        f"Fine-tuned in Embedding Lab from the base model {_code(config.base_model)}: "
        f"{last.step} steps with the loss {_code(config.loss)}, seed {config.seed}.",
        "",
        "## Data",
        "",
        f"- Sentence set: {_code(run.sentences.title)}, {len(run.sentences)} sentences "
        f"(source: {_code(run.sentences.source)})",
        f"- Trained on {len(run.pairs)} pairs, {similar} similar and {len(run.pairs) - similar} dissimilar",
        f"- Measured on {len(run.held_out)} held-out pairs that share no sentence with the training pairs",
        *(f"- Example: {_code(text)}" for text in run.sentences.texts[:3]),
        "",
        "This is little data. The model may have lost some of its general knowledge; measure it on your own "
        "task before you rely on it.",
        "",
        "## Settings",
        "",
        "```json",
        config.to_json(),
        "```",
        "",
        "## Scores",
        "",
        f"| measure | step {first.step} | step {last.step} |",
        "|---|---|---|",
        *_score_rows(run),
        "",
        "## Use",
        "",
        "```python",
        "from sentence_transformers import SentenceTransformer",
        "",
        'model = SentenceTransformer("path/of/this/folder")',
        'embeddings = model.encode(["a sentence", "another one"])',
        "```",
        "",
        "all-MiniLM-L6-v2, which the base model is or was made from, is under the Apache 2.0 licence; keep "
        "its notice with this model.",
        "",
    ]
    return "\n".join(lines)


def _score_rows(run: Run) -> list[str]:
    rows = []
    for row in METRICS.values():
        before = getattr(run.snapshots[0].metrics, row.key)
        after = getattr(run.snapshots[-1].metrics, row.key)
        if before is not None or after is not None:
            rows.append(f"| {row.title} | {row.text(before)} | {row.text(after)} |")
    return rows


def _inline(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    """A code span that holds the text whatever backticks are in it."""
    line = " ".join(text.split()) or " "
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}"


__all__ = ["folder_name", "keep_model", "model_card", "model_folder", "model_zip"]
