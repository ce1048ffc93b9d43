"""Where a person's own things are kept: progress, saved runs, tuned models. One folder, found in one way."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

HOME = "EMBEDDING_LAB_HOME"  # the folder of everything below
TUNED = "EMBEDDING_LAB_TUNED"  # another folder for tuned models alone


def data_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """EMBEDDING_LAB_HOME, else the folder that this system has for an app's data of one user."""
    if home := environment.get(HOME):
        return Path(home).expanduser()
    from platformdirs import user_data_path

    return user_data_path("embedding-lab", appauthor=False)


def model_folders(environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Where tuned models are kept, then where 0.1.0 kept them: it did not ask EMBEDDING_LAB_HOME."""
    if tuned := environment.get(TUNED):
        return (Path(tuned).expanduser(),)
    from platformdirs import user_data_path

    return data_folder(environment) / "models", user_data_path("embedding-lab") / "models"
