"""The command line: train from a CSV of pairs, encode, score, search, export. For homework, scripts and CI.

Results go to standard output or to files, progress and errors to standard error. Exit codes: 0 done, 1 the
input cannot be used (one sentence says why), 2 the command was typed wrong, 130 interrupted.
"""

from __future__ import annotations

import heapq
import inspect
import io
import os
import sys
from array import array
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Any

import typer

from .cli_input import (
    allowed,
    choice,
    counted,
    cut_pairs,
    encoder,
    pair_scorer,
    parts,
    progress,
    read_pairs,
    sentences_of,
    tell,
)
from .data.files import naming, replacing
from .models.cross_encoder import LIKENESS, RELEVANCE
from .models.embedding import Unread
from .training.controls import CONTROLS, Control, suggested_rate
from .types import InputError, Pair, Run, RunStatus, SentenceSet, TrainingConfig

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train, measure and use small embedding models, without a browser.",
)
Model = Annotated[str, typer.Option("--model", "-m", help="A base model's key, or a model folder.")]
FAILED, INTERRUPTED = 1, 130
DEFAULTS = TrainingConfig()
TYPES: dict[str, Any] = {"integer": int, "number": float, "choice": str, "switch": bool}
FORMS = "CSV, TSV, JSON Lines or Parquet"
Pairs = Annotated[Path, typer.Argument(help=f"Pairs: {FORMS}, or lines of left | right | label.")]
Texts = Annotated[Path, typer.Argument(help=f"One text a line, or a column of texts in {FORMS}.")]
Header = Annotated[bool | None, typer.Option(help="Whether the first row names the columns. Default: found.")]
NAMED = "Columns to read, by name or number: text,group or left,right,label. Default: found."
Named = Annotated[str, typer.Option("--columns", help=NAMED)]
OTHERWISE = ("base_model", "snapshot_every")  # --model says the first, the command chooses the second


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for every row of the settings' table in place of its **settings."""
    own = inspect.signature(command, eval_str=True).parameters.values()
    parameters = [one for one in own if one.kind is not one.VAR_KEYWORD]
    parameters += [_option(row) for row in CONTROLS if row.field not in OTHERWISE]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
    return command


def _option(row: Control) -> inspect.Parameter:
    """The parameter of a training setting, with the help text that the page shows."""
    known = f"One of: {', '.join(row.choices)}." if row.choices else ""
    bounds = "" if row.low is None else f"From {row.least:g} to {row.most:.12g}."
    words = " ".join(filter(None, (row.help, known, bounds)))
    kind, default = TYPES[row.kind], row.default
    if row.field == "learning_rate":  # it depends on the model
        kind, default, words = kind | None, None, f"{words} Default: {default:g}, or what the model suggests."
    option: Any = Annotated[kind, typer.Option(f"--{row.field.replace('_', '-')}", help=words)]
    only = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(row.field, only, default=default, annotation=option)


def main() -> None:
    """The entry point: what goes wrong becomes one sentence and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        _writes_any_text(stream)
    try:
        app()
    except InputError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        typer.echo("Interrupted.", err=True)
        sys.exit(INTERRUPTED)


def _writes_any_text(stream: Any) -> None:
    """UTF-8 into files and pipes, unless PYTHONIOENCODING asks for something else; what the encoding lacks
    becomes a question mark. Windows would write a code page of 256 characters, and stop at any other."""
    if isinstance(stream, io.TextIOWrapper):
        chosen = stream.isatty() or os.environ.get("PYTHONIOENCODING")
        stream.reconfigure(encoding=None if chosen else "utf-8", errors="replace")


@app.command()
@with_settings
def train(
    pairs: Pairs,
    out: Annotated[Path | None, typer.Option(help="Write the tuned model to this new folder.")] = None,
    save: Annotated[Path | None, typer.Option(help="Write the whole run to this file.")] = None,
    model: Model = DEFAULTS.base_model,
    held_out: Annotated[float, typer.Option(min=0.0, max=0.5, help="Share of sentences kept away.")] = 0.25,
    header: Header = None,
    columns: Named = "",
    **settings: Any,
) -> None:
    """Fine-tune a model on pairs, and print its held-out scores before and after."""
    from .data.split import make_split

    parsed = read_pairs(pairs, choice(header, columns))
    sentences, found = parsed.sentence_set, parsed.pairs
    tell(pairs.name, parsed.notices)
    split = make_split(sentences, len(found), held_out, settings["seed"], pairs=found)
    tell("", split.notices)
    every = max(1, min(100, settings["steps"] // 20))
    base = allowed(model)
    if settings["learning_rate"] is None:
        settings["learning_rate"] = suggested_rate(base)
    config = TrainingConfig(base_model=base, snapshot_every=every, **settings)
    for target in filter(None, (out, save)):
        if target.exists():
            raise InputError(f"{target} exists already; choose another name or remove it.")
    sentences = replace(sentences, notices=(*parsed.notices, *split.notices))
    run, trainer = _train(sentences, split.train, split.held_out, config)
    _print_scores(run)
    _keep(run, trainer, out, save)


def _train(
    sentences: SentenceSet, pairs: Sequence[Pair], held_out: Sequence[Pair], config: TrainingConfig
) -> tuple[Run, Any]:
    from .models import registry
    from .training.bi_trainer import BiEncoderTrainer
    from .training.trainer import iterate

    encoder = registry.load(config.base_model, seed=config.seed)
    unread = Unread(encoder)
    unread.add(sentences.texts)
    tell("", unread.notices)
    sentences = replace(sentences, notices=(*sentences.notices, *unread.notices))
    trainer = BiEncoderTrainer(encoder, sentences, pairs, config, held_out)
    snapshots = []
    with progress(config.steps, "Training") as advance:
        for snapshot in iterate(trainer):
            advance(int(trainer.step > 0))
            if snapshot is not None:
                snapshots.append(snapshot)
    run = Run(
        "", config, sentences, tuple(pairs), tuple(held_out), tuple(snapshots), status=RunStatus.FINISHED
    )
    return run, trainer


def _keep(run: Run, trainer: Any, out: Path | None, save: Path | None) -> None:
    """Write the model folder and the run file that were asked for."""
    import tempfile

    from .training import checkpoints

    if out is None and save is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "last.safetensors"
        checkpoints.save(trainer.checkpoint(), checkpoint)
        if out is not None:
            from .export.model_folder import model_folder

            model_folder(run, str(checkpoint), out, out.name)
            typer.echo(f"The model is in {out}.", err=True)
        if save is not None:
            from .export.run_file_weights import save as save_run

            created = datetime.now(UTC).isoformat(timespec="seconds")
            save_run(run, str(checkpoint), run.sentences.title, "", created, str(save))
            typer.echo(f"The run is in {save}.", err=True)


def _print_scores(run: Run) -> None:
    from .metrics.table import METRICS

    first, last = run.snapshots[0], run.snapshots[-1]
    typer.echo(f"measure\tstep {first.step}\tstep {last.step}")
    for row in METRICS.values():
        before, after = (getattr(s.metrics, row.key) for s in (first, last))
        if before is not None or after is not None:
            typer.echo(f"{row.title}\t{row.text(before)}\t{row.text(after)}")


@app.command()
def encode(
    texts: Texts,
    out: Annotated[Path, typer.Argument(help="Where to write: a name ending in .csv, .parquet or .npz.")],
    model: Model = DEFAULTS.base_model,
    header: Header = None,
    columns: Named = "",
) -> None:
    """Embed sentences and write the vectors to a file; as many as you like."""
    from .export.table_files import EMBEDDINGS

    write = EMBEDDINGS.get(out.suffix.lower())
    if write is None:
        raise InputError(f"{out.name} must end in {', '.join(EMBEDDINGS)}.")
    with sentences_of(texts, choice(header, columns)) as (sentences, count):
        encode, unread = counted(encoder(model), normalize=None)  # as the model's own settings say
        with replacing(out) as file:
            write(file, sentences, (encode(some) for some in parts((s.text for s in sentences), count)))
    tell(texts.name, unread.notices)
    typer.echo(f"{count} sentences embedded in {out}.", err=True)


@app.command()
def score(
    pairs: Pairs,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            help=f"A base model's key, a model folder, or a cross-encoder: {LIKENESS} or {RELEVANCE}.",
        ),
    ] = DEFAULTS.base_model,
    header: Header = None,
    columns: Named = "",
) -> None:
    """Print each pair's cosine, or a cross-encoder's score, and how well they agree with the labels."""
    import numpy as np

    from .data import files
    from .data.text import spaced
    from .metrics import measures

    scores, labels = array("d"), array("d")
    with files.rereadable(pairs) as file:
        with naming(file):  # every row is looked at before the work begins
            found = files.pairs(file, choice(header, columns))
            if not found.count:
                raise InputError("There is no pair in it. Write one a line: left | right | label.")
        tell(file.name, found.notices)
        if found.repeats:
            typer.echo(f"{file.name}: {found.repeats:,} rows stand there before; all are scored.", err=True)
        name, scored_by, notices = pair_scorer(model)
        typer.echo(f"{name}\tlabel\tleft\tright")
        for some in parts(found, found.count, quiet=sys.stdout.isatty()):
            _, left, right, label = zip(*some)
            scored = scored_by(left, right)
            scores.extend(scored)
            labels.extend(label)
            for one, a, b, c in zip(scored, left, right, label):
                typer.echo(f"{one:.4f}\t{c:g}\t{spaced(a)}\t{spaced(b)}")
    tell(pairs.name, notices())
    area = measures.auc(np.array(scores), np.array(labels) >= 0.5)
    rank = measures.spearman(np.array(scores), np.array(labels))
    typer.echo(f"AUC {'–' if area is None else f'{area:.4f}'}", err=True)
    typer.echo(f"Rank correlation {'–' if rank is None else f'{rank:.4f}'}", err=True)


@app.command()
def search(
    texts: Texts,
    query: Annotated[str, typer.Argument(help="What to look for.")],
    top: Annotated[int, typer.Option(min=1, max=1000, help="How many to print.")] = 5,
    rerank: Annotated[
        int,
        typer.Option(
            min=0,
            max=1000,
            help="The cross-encoder for relevance reads so many of the nearest, "
            "those printed at least, and orders them; the numbers are its logits.",
        ),
    ] = 0,
    model: Model = DEFAULTS.base_model,
    header: Header = None,
    columns: Named = "",
) -> None:
    """Print the passages nearest to a query, best first, with their cosine."""
    from .data.text import is_blank, spaced

    if is_blank(query):
        raise InputError("The query is empty.")
    with sentences_of(texts, choice(header, columns)) as (sentences, count):
        chosen = encoder(model)
        (q,) = chosen.encode([query], prompt=chosen.settings.prompt_of("query"))  # (d,)
        prompt = chosen.settings.prompt_of("document", "passage", "corpus")
        encode, unread = counted(chosen, prompt=prompt)
        scored = (
            (cosine, text)
            for some in parts((s.text for s in sentences), count)
            for cosine, text in zip(encode(some) @ q, some)
        )
        best = heapq.nlargest(max(top, rerank), scored, key=itemgetter(0))  # keeps no more than it needs
    tell(texts.name, unread.notices)
    if rerank:
        from .models.cross_encoder import score_relevance

        read = score_relevance([(query, text) for _, text in best])
        tell(texts.name, cut_pairs(len(read.truncated)))
        best = heapq.nlargest(top, zip(read.logits, (text for _, text in best)), key=itemgetter(0))
    for number, text in best:
        typer.echo(f"{number:.4f}\t{spaced(text)}")


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="A run file.")],
    out: Annotated[
        Path,
        typer.Argument(
            help="Where to: NAME.html or .gif (replay), .svg or .png (map), .py (script), .csv, .parquet or "
            ".npz (embeddings), .tsv.zip (Embedding Projector), .pairs.csv, or a new folder (the model)."
        ),
    ],
) -> None:
    """Turn a saved run into something to take home."""
    from .export.formats import write

    write(run, out)
    typer.echo(f"Written to {out}.", err=True)
