"""`embedding-lab`: without a command it opens the app, with one it is the command line (core/cli.py).

Apart from core, which knows nothing of screens, and from server.py, which Streamlit itself runs.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

FOLDER = Path(__file__).resolve().parent


def main() -> None:
    # Installed, the rooms lie in the folder embedding_lab, and pages/ and ui/ say `core` and `ui` all the
    # same, as in a checkout. So that folder comes first on the path: here, as Streamlit and the workers have
    # it. Then one module has one name in all these processes, and each can read what another pickles. The
    # name `embedding_lab.core` is for notebooks.
    sys.path.insert(0, str(FOLDER))
    from core import cli

    about = "Learn how text embeddings work. Without a command the app opens in the browser."
    cli.app.callback(invoke_without_command=True, no_args_is_help=False, help=about)(open_app)
    cli.main()


def open_app(
    context: typer.Context,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="The first free one from 8501.")] = None,
    address: Annotated[str, typer.Option(help="Where to listen; 0.0.0.0 lets others in.")] = "localhost",
    headless: Annotated[
        bool | None, typer.Option(help="Open no browser; the default without a screen.")
    ] = None,
) -> None:
    """What `embedding-lab` does by itself; its commands are those of core/cli.py."""
    if context.invoked_subcommand is not None:
        return
    if headless is None and (os.environ.get("CI") or os.environ.get("SSH_CONNECTION")):
        headless = True  # Streamlit itself sees whether there is a screen
    options = {"server.address": address, "server.port": port, "server.headless": headless}
    options["browser.serverAddress"] = "localhost" if address in ("0.0.0.0", "::") else address
    flags = [f"--{name}={value}" for name, value in options.items() if value is not None]
    _work_in_our_folder()
    from streamlit.web import cli as streamlit

    streamlit.main(["run", str(FOLDER / "server.py"), *flags], prog_name="streamlit")


def _work_in_our_folder() -> None:
    """Streamlit reads .streamlit/config.toml where it is started too, and the learner's must not matter here.

    Paths in our settings go on meaning what they meant in the learner's folder.
    """
    for name in ("EMBEDDING_LAB_HOME", "EMBEDDING_LAB_TUNED"):
        if given := os.environ.get(name):
            os.environ[name] = str(Path(given).expanduser().absolute())
    kind, slashes, path = os.environ.get("DATABASE_URL", "").partition(":///")
    if kind.startswith("sqlite") and path and path != ":memory:":
        os.environ["DATABASE_URL"] = f"{kind}{slashes}{Path(path).absolute()}"
    models = os.environ.get("EMBEDDING_LAB_MODELS", "").split(",")
    folders = (str(Path(entry).absolute()) if Path(entry).is_dir() else entry for entry in models)
    os.environ["EMBEDDING_LAB_MODELS"] = ",".join(folders)
    os.chdir(FOLDER)


if __name__ == "__main__":
    main()
