"""What holds the project up and has no other test: pins, theme, fonts; browser tests that cannot vanish."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
AA_TEXT, AA_LARGE = 4.5, 3.0  # WCAG 2.2, success criteria 1.4.3 and 1.4.11
CAPTION_OPACITY = 0.6  # how Streamlit draws st.caption


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    rows = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in rows}


def test_every_direct_dependency_is_pinned_to_a_version_it_allows():
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(pins()[canonicalize_name(requirement.name)]), requirement


def test_torch_is_pinned_without_a_build():
    assert pins()["torch"] == "2.13.0"


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb", from 0 to 1 (WCAG 2)."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def faded(colour: str, ground: str, opacity: float) -> str:
    pairs = ((int(colour[i : i + 2], 16), int(ground[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a * opacity + b * (1 - opacity)):02x}" for a, b in pairs)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_can_be_read_in_both_themes(mode):
    theme = THEME[mode]
    grounds = [theme["backgroundColor"], theme["secondaryBackgroundColor"]]
    grounds += [theme["sidebar"]["backgroundColor"], theme["sidebar"]["secondaryBackgroundColor"]]
    for ground in grounds:
        assert contrast(theme["textColor"], ground) >= AA_TEXT
        assert contrast(theme["linkColor"], ground) >= AA_TEXT
        assert contrast(theme["primaryColor"], ground) >= AA_LARGE
    for ground in (theme["backgroundColor"], theme["sidebar"]["backgroundColor"]):
        assert contrast(faded(theme["textColor"], ground, CAPTION_OPACITY), ground) >= AA_TEXT
    # Streamlit writes a primary button's label in white whatever its colour.
    assert contrast("#FFFFFF", theme["primaryColor"]) >= AA_TEXT


def test_fonts_are_files_of_ours_with_their_licence():
    for face in THEME["fontFaces"]:
        file = ROOT / face["url"].removeprefix("app/")
        assert file.read_bytes()[:4] == b"wOF2"
    assert (
        "SIL OPEN FONT LICENSE" in (ROOT / "static" / "fonts" / "OFL.txt").read_text(encoding="utf-8").upper()
    )


def run_without_browser(**environment: str) -> subprocess.CompletedProcess[str]:
    settings = {name: value for name, value in os.environ.items() if name != "CI"}
    settings |= {"EMBEDDING_LAB_CHROMIUM": "/no/such/browser", **environment}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/pages/home/test_browser.py",
    ]
    return subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, timeout=120)


def test_a_missing_browser_fails_under_ci():
    done = run_without_browser(CI="true")
    assert done.returncode == 1
    assert "no Chromium found" in done.stdout
    assert not re.search(r"\d+ (passed|skipped)", done.stdout)


def test_a_missing_browser_is_reported_elsewhere():
    done = run_without_browser()
    assert "browser tests NOT run" in done.stdout


def test_no_benchmark_hides_another(tmp_path, monkeypatch, capfd):
    from benchmarks import __main__ as bench

    package = tmp_path / "benchmarks"
    package.mkdir()
    (package / "bench_bad.py").write_text('"""Bad one."""\ndef main(): raise SystemExit(3)\n')
    (package / "bench_good.py").write_text('"""Good one."""\ndef main(): print("| 42 |")\n')
    monkeypatch.setattr(bench, "FOLDER", package)
    monkeypatch.setattr(sys, "argv", ["benchmarks"])
    assert bench.main() == 1
    printed = capfd.readouterr().out
    assert "## Bad one." in printed and "FAILED with exit code 3" in printed
    assert "| 42 |" in printed and "Failed: bad" in printed


def test_percentages_are_written_in_one_way():
    """As 60%, without a blank, in all that people read."""
    spaced = re.compile(r"(\d|\}|^) %(?![\w{])")
    rooms = [file for room in ("core", "ui", "pages") for file in (ROOT / room).rglob("*.py")]
    texts = [
        (f"{file}, line {node.lineno}", node.value)
        for file in rooms
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    others = ("assets/**/*.toml", "assets/**/*.md", "*.md", "ui/**/*.js")
    texts += [(str(file), file.read_text(encoding="utf-8")) for names in others for file in ROOT.glob(names)]
    assert len(texts) > 5000 and not [where for where, text in texts if spaced.search(text)]
