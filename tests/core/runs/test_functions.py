"""Only this package's own functions have a name on the wire, and a name leads back to its function."""

from __future__ import annotations

import os
import shutil

import pytest

from core.maps import layouts
from core.models import embedding
from core.runs.functions import PACKAGE, name_of, resolve


@pytest.mark.parametrize("function", [embedding.embed, layouts.start, layouts.advance])
def test_a_name_leads_back_to_the_function(function) -> None:
    assert resolve(name_of(function)) is function


@pytest.mark.parametrize("function", [os.system, shutil.rmtree, lambda: 1, len, layouts.LayoutState.__init__])
def test_what_is_not_a_function_of_this_package_has_no_name(function) -> None:
    with pytest.raises(AssertionError):
        name_of(function)


@pytest.mark.parametrize(
    "name", ["os:system", "shutil:rmtree", f"{PACKAGE}.runs.process:subprocess", "corex.a:b"]
)
def test_other_names_are_not_followed(name) -> None:
    with pytest.raises((AssertionError, AttributeError)):
        resolve(name)
