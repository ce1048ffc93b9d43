"""EMBEDDING_LAB_HOME governs everything that is kept; what was once kept elsewhere is found."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from core.data import folders
from core.models import registry
from core.models.weights import save_folder
from core.storage.database import database_url
from tests.tiny import tiny_encoder


def test_one_folder_holds_the_database_and_the_models(tmp_path: Path) -> None:
    home = {"EMBEDDING_LAB_HOME": str(tmp_path)}
    assert folders.data_folder(home) == tmp_path
    assert folders.model_folders(home)[0] == tmp_path / "models"
    assert str(tmp_path) in database_url(home)
    assert folders.model_folders(home | {"EMBEDDING_LAB_TUNED": "~/x"}) == (Path("~/x").expanduser(),)
    assert folders.data_folder({}).is_absolute()


def test_models_of_the_first_release_are_still_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It kept them in the user's data folder whatever EMBEDDING_LAB_HOME said."""
    monkeypatch.delenv("EMBEDDING_LAB_TUNED")
    monkeypatch.setenv("EMBEDDING_LAB_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(platformdirs, "user_data_path", lambda name, **_: tmp_path / "user" / name)
    old, new = tmp_path / "user" / "embedding-lab" / "models", tmp_path / "home" / "models"
    for folder in (old / "first", old / "both", new / "both"):
        save_folder(tiny_encoder(), folder)
    assert registry.tuned_folders() == {"first": old / "first", "both": new / "both"}
    assert {"tuned:first", "tuned:both"} <= set(registry.available())
