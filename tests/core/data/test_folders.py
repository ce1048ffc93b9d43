"""EMBEDDING_LAB_HOME governs everything that is kept; what was once kept elsewhere is found."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from core.data import folders
from core.models import registry
from core.models.weights import save_folder
from core.storage.database import database_url
from core.training.checkpoints import Checkpoint, save
from core.types import InputError, TrainingConfig
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


def a_process_that(does: str, place: Path) -> subprocess.Popen[bytes]:
    """A Python that makes its own folder below `place` and then does something."""
    code = f"from core.data.folders import own_folder; print(own_folder(), flush=True); {does}"
    environment = {**os.environ, "TMPDIR": str(place), "TEMP": str(place), "TMP": str(place)}
    return subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE)


def test_the_folder_of_a_killed_process_is_removed_by_the_next_one(tmp_path: Path) -> None:
    """Checkpoints of servers that were killed stayed for ever; those of one that lives stay as they are."""
    killed, alive = (a_process_that("import time; time.sleep(60)", tmp_path) for _ in range(2))
    assert killed.stdout is not None and alive.stdout is not None
    dead, kept = (Path(process.stdout.readline().decode().strip()) for process in (killed, alive))
    try:
        (dead / "step-000001.safetensors").write_bytes(b"x")
        killed.kill()
        killed.wait()
        assert dead.exists()
        third = a_process_that("pass", tmp_path)
        third.communicate()
        assert not dead.exists() and kept.exists()
        assert [one.name for one in tmp_path.iterdir()] == [kept.name]  # the third one took its own along
    finally:
        for process in (killed, alive):
            process.kill()
            process.communicate()


def test_the_runs_that_rest_longest_make_room(tmp_path: Path) -> None:
    runs = [tmp_path / name for name in "abc"]
    for run in runs:
        run.mkdir()
        (run / "step-000001.safetensors").write_bytes(bytes(100))
    assert folders.too_many(runs, tmp_path, 300) == []
    assert folders.too_many(runs, tmp_path, 299) == runs[:1]
    assert folders.too_many(runs, tmp_path, 100) == runs[:2]
    assert folders.too_many(runs, tmp_path, 399, to_come=1) == runs[:1]  # for the one that is being written
    assert folders.too_many(runs, tmp_path, 200, to_come=9) == runs[:2]  # half of it stays theirs
    os.link(runs[0] / "step-000001.safetensors", runs[2] / "step-000009.safetensors")  # a run and its fork
    assert folders.too_many(runs, tmp_path, 299) == runs[:2]
    assert (
        folders.disk_budget({}) == 2_000_000_000 and folders.disk_budget({"EMBEDDING_LAB_DISK": "x"}) == 2e9
    )
    assert folders.disk_budget({"EMBEDDING_LAB_DISK": "0.5"}) == 500_000_000


def test_a_full_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match=r"The folder .*file cannot be written: .*Make room there"):
        save(
            Checkpoint(1, TrainingConfig(), {"w": np.zeros(1, np.float32)}),
            tmp_path / "file" / "step.safetensors",
        )
