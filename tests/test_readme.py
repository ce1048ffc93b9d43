"""README's code runs as it stands: the Python blocks, and the commands of "Command line"."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.conftest import ROOT
from tests.core.test_cli import PAIRS, no_allowance_outlives_a_test, run  # noqa: F401

README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text below a heading, up to the next of its rank."""
    return README.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)


@pytest.mark.slow
def test_every_python_block_runs(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = blocks(README, "python")
    assert found, "README shows no Python"
    for block in found:
        assert len(block.strip().splitlines()) <= 12, "ten lines or so were promised"
        exec(compile(block, "README.md", "exec"), {"__name__": "readme"})
    printed = capsys.readouterr().out
    assert re.search(r"^30 \d", printed, re.M), "the example trains thirty steps and prints the last"


@pytest.mark.slow
def test_every_command_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs.csv").write_text(PAIRS, encoding="utf-8")
    (tmp_path / "texts.txt").write_text("It rains.\nThe soup is hot.\n", encoding="utf-8")
    commands = [
        shlex.split(line.split("#")[0])
        for block in blocks(section("Command line"), "sh")
        for line in block.splitlines()
        if line.startswith("embedding-lab ")
    ]
    assert {words[1] for words in commands} == {"train", "encode", "score", "search", "export"}
    for words in commands:
        run(*words[1:])
    assert (tmp_path / "my-model" / "model.safetensors").is_file() and (tmp_path / "replay.html").is_file()
