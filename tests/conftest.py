"""What every test shares: one thread for the maths, its own data folder, the public data, AppTest mended.

Browser tests run last, and never go missing in silence: see pytest_runtest_setup.
"""

from __future__ import annotations

import atexit
import math
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest
from streamlit import config
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

from scripts import browser

ROOT = Path(__file__).resolve().parent.parent

# Before torch or numba load: more threads than free cores makes both many times slower.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Nobody's own experiments and progress are touched, and no test starts workers it does not ask for.
os.environ["EMBEDDING_LAB_HOME"] = tempfile.mkdtemp(prefix="embedding-lab-tests-")
atexit.register(shutil.rmtree, os.environ["EMBEDDING_LAB_HOME"], ignore_errors=True)
os.environ["EMBEDDING_LAB_TUNED"] = str(Path(os.environ["EMBEDDING_LAB_HOME"]) / "models")
os.environ["EMBEDDING_LAB_WARM_UP"] = "0"
os.environ.pop("DATABASE_URL", None)
# No test asserts a time: how long an example takes depends on who else is busy.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
# AppTest keeps the message of an exception; learners see only its type (.streamlit/config.toml).
config.set_option("client.showErrorDetails", "full")

# AppTest resets PagesManager.uses_pages_directory before every run; beside a folder named pages/ it then
# takes app.py for an old-style app, and all that app.py draws vanishes from the second run on. Resetting
# the attribute of a subclass instead leaves the real one as st.navigation sets it.
PagesManager.uses_pages_directory = False
app_test.PagesManager = type("PagesManager", (PagesManager,), {})  # type: ignore[misc]

pytest_plugins = ["tests.browser.fixtures"]

NO_BROWSER = "no Chromium found"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name.startswith("test_browser"):
            item.add_marker("e2e")
            # On a machine that others use a click may come while a page is drawn. The summary names each.
            item.add_marker(pytest.mark.flaky(reruns=1))
    # Quick tests first; and Playwright's event loop stays out of everybody else's way. Of its files the
    # largest come first: a process takes a whole file, and at the end the other would wait for a long one.
    items.sort(key=lambda i: -i.path.stat().st_size if i.get_closest_marker("e2e") else -math.inf)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A browser test without a browser fails under CI and is reported loudly elsewhere."""
    if item.get_closest_marker("e2e") is None or browser.find() is not None:
        return
    message = f"{NO_BROWSER}: run `make test`, which installs one, or set {browser.ENV}"
    if os.environ.get("CI"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    missed = sum(NO_BROWSER in str(report.longrepr) for report in terminalreporter.stats.get("skipped", ()))
    if missed:
        terminalreporter.section("browser tests NOT run", red=True)
        terminalreporter.line(
            f"{missed} browser tests did not run, because there is no Chromium. `make test` installs one."
        )


def pytest_configure() -> None:
    (ROOT / ".artifacts").mkdir(exist_ok=True)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public evaluation data; EMBEDDING_LAB_DATA names it where it is not ../shared/data."""
    folder = Path(os.environ.get("EMBEDDING_LAB_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no evaluation data at {folder}: set EMBEDDING_LAB_DATA to the folder that has it")
    return folder


@pytest.fixture
def open_app() -> Callable[..., AppTest]:
    """`open_app("train_live", loss="mnrl")`: app.py on that page, run once, with those URL parameters. What
    answers a prediction is in sight, but with `revealed="false"`."""

    def open_(page: str = "home", timeout: float = 60, **query: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=timeout)
        for name, value in ({"revealed": "true"} | query).items():
            app.query_params[name] = value
        app.run()
        return app if page == "home" else app.switch_page(f"pages/{page}/page.py").run()

    return open_
