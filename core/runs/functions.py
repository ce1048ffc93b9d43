"""A function of this package as its name on the wire, and back: what the server asks a worker to call."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

PACKAGE = __name__.rsplit(".", 2)[0]  # "core" in a checkout, "embedding_lab.core" where it is installed


def name_of(function: Callable[..., Any]) -> str:
    """'package.module:function'. Lambdas, methods and functions of other packages have no such name."""
    module, name = function.__module__, function.__qualname__
    assert module.startswith(f"{PACKAGE}.") and name.isidentifier(), f"{module}:{name} cannot be called there"
    return f"{module}:{name}"


def resolve(name: str) -> Callable[..., Any]:
    """The function of that name. Only this package's own functions can be named."""
    module, _, attribute = name.partition(":")
    assert module.startswith(f"{PACKAGE}."), f"{name} is not part of {PACKAGE}"
    function: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    assert function.__module__ == module, f"{name} is defined elsewhere"
    return function
