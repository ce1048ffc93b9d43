"""The wheel, installed where nothing else of the checkout is seen: it opens the app, trains, is imported.

All from a folder whose own settings and modules would break it if they had a say.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.fixtures import launch, stop_server
from tests.browser.helpers import WARM_UP, settled
from tests.conftest import ROOT
from tests.core.test_cli import PAIRS

pytestmark = pytest.mark.slow
SETTINGS = """[server]
baseUrlPath = "elsewhere"
enableStaticServing = false
[theme.light]
primaryColor = "#FF0000"
"""
NOTEBOOK = """
import sys
from embedding_lab.core import training
from embedding_lab.core.data import sentence_sets, split
from embedding_lab.core.models import registry
from embedding_lab.core.types import TrainingConfig

chosen = sentence_sets.load_set("sentiment").sentence_set
pairs = split.make_split(chosen, count=20, share=0.25, seed=7)
config = TrainingConfig(steps=1, batch_size=4)
for snapshot in training.train(registry.load("minilm-l6"), chosen, pairs.train, config, pairs.held_out):
    print(snapshot.step, snapshot.embeddings.shape[1])
print(training.__file__, "core" in sys.modules)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> Path:
    """A fresh environment with the wheel; of the present one it sees the packages, but not this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    offline = "--no-deps", "--no-index", "--disable-pip-version-check", "--quiet"
    pip = sys.executable, "-m", "pip"
    build = *pip, "wheel", ROOT, "--wheel-dir", folder, "--no-build-isolation", *offline
    subprocess.run(build, check=True, timeout=120)
    venv.create(folder / "env", with_pip=False, symlinks=os.name != "nt")
    here = sysconfig.get_path("purelib", "venv", {"base": str(folder / "env")})
    # A folder named in a .pth file is searched, but its own .pth files (this checkout's) are not read.
    (Path(here) / "present.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    (wheel,) = folder.glob("*.whl")
    install = *pip, "--python", program(folder / "env", "python"), "install", wheel, *offline
    subprocess.run(install, check=True, timeout=120)
    return folder / "env"


@pytest.fixture
def learners_folder(tmp_path, monkeypatch) -> Path:
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text(SETTINGS, encoding="utf-8")
    for name in ("core.py", "ui.py", "server.py"):
        (tmp_path / name).write_text("raise SystemExit('the wrong module')\n", encoding="utf-8")
    (tmp_path / "pairs.csv").write_text(PAIRS, encoding="utf-8")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return tmp_path


def program(environment: Path, name: str) -> str:
    return str(Path(sysconfig.get_path("scripts", "venv", {"base": str(environment)})) / name)


def said(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_line(environment, learners_folder):
    command = program(environment, "embedding-lab")
    options = "--steps", "1", "--trained-layers", "1", "--held-out", "0", "--save", "run.zip"
    out = said(learners_folder, command, "train", "pairs.csv", *options)
    assert "Uniformity" in out and "step 0\tstep 1" in out
    assert (learners_folder / "run.zip").is_file()
    assert "--port" in said(learners_folder, command, "--help")


def test_a_notebook(environment, learners_folder):
    *steps, last = said(learners_folder, program(environment, "python"), "-c", NOTEBOOK).splitlines()
    assert steps == ["0 384", "1 384"]
    assert str(environment) in last and last.endswith("False"), "one name for one module"


@pytest.mark.e2e
def test_the_app(environment, learners_folder, browser: Browser):
    options = "--port", "{port}", "--address", "127.0.0.1", "--headless"
    command = program(environment, "embedding-lab"), *options
    given = {"EMBEDDING_LAB_WORKERS": "1", "DATABASE_URL": "sqlite:///class.sqlite3"}
    server = launch(command, learners_folder, Path("home"), **given)
    context = browser.new_context()
    try:
        page = context.new_page()
        loaded: dict[str, int] = {}
        page.on("response", lambda answer: loaded.update({answer.url.split("?")[0]: answer.status}))
        page.goto(f"{server.url}/losses")
        settled(page)
        page.wait_for_function("() => window.__sandbox?.losses_board?.points.length > 0", timeout=WARM_UP)
        for file in ("/board.js", "/board.css", "/static/fonts/inter-latin.woff2"):
            assert [status for url, status in loaded.items() if url.endswith(file)] == [200], file
        font = page.evaluate("getComputedStyle(document.querySelector('h1')).fontFamily")
        assert font.startswith("Inter")
        page.goto(f"{server.url}/study")
        page.get_by_label("Your name").fill("Ada")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Show the answer")).to_be_visible(timeout=WARM_UP)
        assert (learners_folder / "class.sqlite3").is_file(), "a relative path means the learner's folder"
        assert "Traceback" not in server.said()
    finally:
        context.close()
        stop_server(server)
