"""`python -m core`: the command line of the same engine."""

from __future__ import annotations

from .cli import main

if __name__ == "__main__":
    main()
