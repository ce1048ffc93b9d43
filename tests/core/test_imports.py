"""The rules of the house, read off syntax trees: who may import whom, who starts work, how long files are.

The rules and their reasons stand in CONTRIBUTING.md.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "transformers", "umap", "sklearn", "plotly", "sentence_transformers", "peft", "numba")
SERVER_FORBIDDEN = ("torch", "transformers", "umap", "sentence_transformers")
FILE_LINES = 400
PAGE_LINES = 130
ROOM_FILES = 14

# The rooms of core/ and which others each may use; what those use, it may use too: data, vectors and types at
# the bottom are everybody's. Arrows go down only.
ARROWS: dict[str, tuple[str, ...]] = {
    "__main__": ("cli",),
    "cli": ("cli_input", "concepts", "export", "runs", "lessons", "retrieval", "storage"),
    "cli_input": ("models",),
    "concepts": ("training", "retrieval"),
    "export": ("training",),
    "runs": ("training", "cards"),
    "lessons": ("training", "cards"),
    "classroom": ("export", "lessons", "runs", "storage"),
    "retrieval": ("training",),
    "training": ("metrics", "models", "losses"),
    "storage": ("cards",),
    "cards": ("metrics", "models", "losses"),
    "metrics": ("maps",),
    "models": ("data",),
    "losses": ("data",),
    "maps": ("data",),
    "data": ("vectors", "untrusted", "words"),
    "untrusted": ("types",),
    "words": (),
    "vectors": ("types",),
    "types": (),
}


def files(*patterns: str) -> list[Path]:
    return sorted(path for pattern in patterns for path in ROOT.glob(pattern))


CORE = files("core/**/*.py")
UI = files("ui/**/*.py")
PAGES = files("pages/*/page.py")
PAGE_FILES = files("pages/**/*.py")
WIDGETS = [path for path in PAGE_FILES if path not in PAGES]
APP = [ROOT / "app.py", ROOT / "server.py", ROOT / "__main__.py", *UI, *PAGE_FILES]
OURS = [*CORE, *APP]


def each(paths: Iterable[Path]) -> Callable[[Callable[[Path], None]], Callable[[], None]]:
    """One test over all of them, which names those that fail: a test of its own for each takes a minute."""

    def over_all(check: Callable[[Path], None]) -> Callable[[], None]:
        def test() -> None:
            failed = []
            for path in paths:
                try:
                    check(path)
                except AssertionError as error:
                    failed.append(f"{path.relative_to(ROOT)}: {error}")
            assert not failed, "\n".join(failed)

        test.__doc__ = check.__doc__
        return test

    return over_all


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def nodes(root: ast.AST, lazy: bool = True) -> Iterator[ast.AST]:
    """All nodes below `root` that run: not type-only imports, and without `lazy` no function bodies."""
    for child in ast.iter_child_nodes(root):
        if is_type_checking(child):
            yield from (n for other in child.orelse for n in nodes(other, lazy))  # type: ignore[attr-defined]
            continue
        if not lazy and isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        yield child
        yield from nodes(child, lazy)


def package(path: Path) -> list[str]:
    """The dotted package of a file, for relative imports."""
    return list(path.relative_to(ROOT).parent.parts)


def imported(path: Path, lazy: bool = True, types: bool = False) -> set[str]:
    """Dotted names of what a file imports; `from a import b` counts as a and a.b."""
    names: set[str] = set()
    for node in ast.walk(tree(path)) if types else nodes(tree(path), lazy):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package(path)[: len(package(path)) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    # importlib.import_module("torch") and __import__("torch") are imports too.
    for node in nodes(tree(path), lazy):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = ast.unparse(node.func)
            if called in ("importlib.import_module", "import_module", "__import__"):
                names.add(str(node.args[0].value))
    return names


def within(names: set[str], *packages: str) -> set[str]:
    return {name for name in names if any(name == p or name.startswith(f"{p}.") for p in packages)}


def attributes(path: Path) -> set[str]:
    """Every dotted expression a file uses, such as "st.session_state"."""
    return {ast.unparse(node) for node in nodes(tree(path)) if isinstance(node, ast.Attribute)}


def below(room: str) -> set[str]:
    """The rooms that may be used from a room: wherever its arrows lead."""
    return {*ARROWS[room]}.union(*(below(other) for other in ARROWS[room]))


def room(path: Path) -> str:
    """The folder of core/ a file lies in, or the file itself."""
    return path.relative_to(ROOT / "core").parts[0].removesuffix(".py")


def test_every_room_has_its_arrows_and_none_leads_back():
    assert {room(path) for path in CORE if path != ROOT / "core" / "__init__.py"} == set(ARROWS)
    for name in ARROWS:
        assert name not in below(name)


@each([path for path in CORE if path != ROOT / "core" / "__init__.py"])
def test_a_room_uses_only_the_rooms_below_it(path):
    """Imports inside functions and for types count as well."""
    used = {name.split(".")[1] for name in imported(path, types=True) if name.startswith("core.")}
    assert used <= below(room(path)) | {room(path)}


@each(sorted({path.parent for path in OURS if path.parent != ROOT}))
def test_a_room_is_not_crowded(folder):
    assert len(list(folder.glob("*.py"))) <= ROOM_FILES, "give what belongs together a room of its own"


@each([path for path in OURS if path.parent != ROOT / "core" / "training"])
def test_one_place_iterates_a_trainer(path):
    """core.training.trainer.iterate is the loop; everybody else asks it for snapshots."""
    assert not [
        node
        for node in nodes(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "advance"
        and not node.args
    ]


def test_a_class_name_means_one_thing():
    found = [node.name for path in OURS for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)]
    assert not {name for name in found if found.count(name) > 1}


@each(OURS)
def test_formatting_is_left_to_the_formatter(path):
    assert "fmt: skip" not in path.read_text(encoding="utf-8")


@each(CORE)
def test_core_knows_nothing_of_the_screen(path):
    assert not within(imported(path), "streamlit", "plotly", "ui", "pages", "app")


def test_the_data_types_need_only_numpy():
    allowed = sys.stdlib_module_names | {"numpy"}
    assert {name.split(".")[0] for name in imported(ROOT / "core" / "types.py")} <= allowed
    ours = within(imported(ROOT / "core" / "vectors.py"), "core")
    assert ours == within(ours, "core.types")
    assert {name.split(".")[0] for name in imported(ROOT / "core" / "vectors.py") - ours} <= allowed


@each([path for path in APP if path.name == "plots.py" or "figures" in path.parts])
def test_figures_are_pure(path):
    assert not within(imported(path), "streamlit")


@each(PAGE_FILES)
def test_pages_never_import_each_other(path):
    own = f"pages.{path.parent.name}"
    assert not within(imported(path), "pages") - within(imported(path), own) - {"pages"}


@each(UI)
def test_ui_never_imports_a_page(path):
    assert not within(imported(path), "app") and not {
        name for name in within(imported(path), "pages") if name != "pages"
    }


@each(PAGES)
def test_pages_hold_no_classes(path):
    assert not [node for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)]


@each([path for path in OURS if path != ROOT / "ui" / "state.py"])
def test_only_state_touches_session_state_and_the_url(path):
    forbidden = ("session_state", "query_params")
    assert not {name for name in attributes(path) if name.startswith("st.") and name.endswith(forbidden)}
    assert not {name for name in imported(path) if name.startswith("streamlit.") and name.endswith(forbidden)}


STARTERS = ("threading", "multiprocessing", "subprocess", "concurrent.futures", "_thread")
STARTING = {"Thread", "Timer", "Process", "Pool", "Popen", "ThreadPoolExecutor", "ProcessPoolExecutor"}
STARTING_CALLS = {"os.fork", "os.spawnv", "os.system", "os.popen", "subprocess.run", "asyncio.create_task"}


@each([path for path in OURS if ROOT / "core" / "runs" not in path.parents])
def test_only_jobs_start_threads_and_processes(path):
    started = {
        name for name in imported(path) if name.split(".")[-1] in STARTING and within({name}, *STARTERS)
    }
    called = {
        ast.unparse(node.func)
        for node in nodes(tree(path))
        if isinstance(node, ast.Call)
        and (ast.unparse(node.func) in STARTING_CALLS or ast.unparse(node.func).split(".")[-1] in STARTING)
    }
    assert not started and not called


@each([path for path in OURS if path.parent != ROOT / "core" / "maps"])
def test_only_projection_imports_umap(path):
    assert not within(imported(path), "umap")


@each(APP)
def test_the_app_imports_nothing_heavy_before_it_paints(path):
    assert (
        not within(imported(path, lazy=False), *HEAVY) or path.name == "plots.py" or "figures" in path.parts
    )


@each(APP)
def test_the_server_process_never_runs_a_model(path):
    assert not within(imported(path), *SERVER_FORBIDDEN)


@each(OURS)
def test_nothing_unpickles_or_trusts_remote_code(path):
    assert not within(imported(path), "dill", "cloudpickle", "joblib", "marshal", "shelve")
    # pickle.dumps as the digest of a question is harmless; reading or keeping a pickle is not.
    assert not {name for name in within(attributes(path), "pickle") if name != "pickle.dumps"}
    assert not within(imported(path), "pickle.load", "pickle.loads", "pickle.Unpickler", "pickle.dump")
    for node in nodes(tree(path)):
        if isinstance(node, ast.Call):
            values = {word.arg: ast.unparse(word.value) for word in node.keywords}
            assert values.get("trust_remote_code") in (None, "False")
            assert values.get("allow_pickle") in (None, "False")
            assert values.get("unsafe_allow_html") in (None, "False")
            assert ast.unparse(node.func) not in ("eval", "exec", "torch.load")


NAMED = re.compile(r"\b(core|embedding_lab)(\.\w+)+:")


@each([*OURS, *files("tests/**/*.py", "benchmarks/**/*.py", "scripts/*.py")])
def test_no_call_names_its_function_in_a_string(path):
    """A worker is handed the function itself, so that names, types and go-to-definition hold."""
    strings = (node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Constant))
    assert not [text for text in strings if isinstance(text, str) and NAMED.match(text)]


@each(OURS)
def test_files_stay_readable(path):
    limit = PAGE_LINES if path in PAGES else FILE_LINES
    assert len(path.read_text(encoding="utf-8").splitlines()) <= limit


@each([path for path in OURS if path.read_text(encoding="utf-8").strip()])
def test_files_open_with_what_they_hold(path):
    assert ast.get_docstring(tree(path)), "begin the file with one or two sentences: what it holds and why"


def modules(paths: list[Path]) -> list[str]:
    dotted = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]
    return [name.removesuffix(".__init__") for name in dotted]


def loaded_by(names: list[str], libraries: tuple[str, ...]) -> str:
    """Which of the libraries a fresh process has in memory after importing the modules, as printed text."""
    code = (
        f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\n"
        f"print([name for name in {libraries!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_importing_the_whole_ui_leaves_the_models_out():
    """Every module of ui/ and of the pages, as the server imports them, and all that they import in turn."""
    assert loaded_by(modules([*UI, *WIDGETS]), SERVER_FORBIDDEN) == "[]"


def test_the_first_page_paints_before_anything_heavy_loads():
    """Whatever ui/ adds to what Streamlit loads by itself (plotly is among that, for its own theme)."""
    assert loaded_by(["streamlit", *modules([*UI, *WIDGETS])], HEAVY) == loaded_by(["streamlit"], HEAVY)


def test_every_page_file_has_its_row_and_every_address_is_its_own():
    from ui import pages

    assert {path.parent.name for path in PAGES} == {row.folder for row in pages.PAGES}
    assert len({row.url_path for row in pages.PAGES}) == len(pages.PAGES)
    assert {row.section for row in pages.PAGES} <= set(pages.SECTIONS)
