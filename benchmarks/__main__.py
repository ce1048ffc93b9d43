"""`make bench`: runs every bench_*.py below benchmarks/ in a process of its own; none hides the others.

A benchmark is a module with `main() -> None` that prints its table. Its first docstring line is the
heading. Separate processes keep one benchmark's threads, caches and memory out of the next one's figures.
"""

from __future__ import annotations

import argparse
import ast
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).parent


def files() -> dict[str, Path]:
    """The benchmarks that exist, by their short name: bench_projection.py is "projection"."""
    return {path.stem.removeprefix("bench_"): path for path in sorted(FOLDER.rglob("bench_*.py"))}


def names() -> list[str]:
    return sorted(files())


def heading(name: str) -> str:
    text = ast.get_docstring(ast.parse(files()[name].read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0] or name


def machine() -> str:
    """One line on what the figures were taken on; a figure without its machine means nothing."""
    memory = ""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = f", {os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB memory"
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores{memory}"
    return f"{system}, Python {platform.python_version()}"


def run(name: str) -> bool:
    """Run one benchmark with its output on ours; True if it ended well."""
    print(f"\n## {heading(name)}\n", flush=True)
    start = time.perf_counter()
    module = ".".join(files()[name].relative_to(FOLDER.parent).with_suffix("").parts)
    call = f"from {module} import main; main()"
    code = subprocess.run(
        [sys.executable, "-c", call], cwd=FOLDER.parent, stdin=subprocess.DEVNULL
    ).returncode
    outcome = "done" if code == 0 else f"FAILED with exit code {code}"
    print(f"\n({name}: {outcome} in {time.perf_counter() - start:.0f} s)", flush=True)
    return code == 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Print the benchmark tables.")
    parser.add_argument("names", nargs="*", help=f"only these: {', '.join(names())}")
    wanted = parser.parse_args().names or names()
    unknown = sorted(set(wanted) - set(names()))
    if unknown:
        parser.error(f"no benchmark named {unknown[0]!r}. There are: {', '.join(names())}")
    print(f"# Embedding Lab benchmarks\n\n{machine()}")
    failed = [name for name in wanted if not run(name)]
    if failed:
        print(f"\nFailed: {', '.join(failed)}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
