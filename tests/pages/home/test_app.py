"""Home leads to Train live, offers exactly the pages that exist, and promises nothing else."""

from __future__ import annotations

import pytest

from ui import pages


def test_opens_without_error_and_says_one_thing_first(open_app):
    app = open_app()
    assert not app.exception
    assert app.title[0].value == "Watch a model learn what belongs together"
    assert len(app.subheader) == 3  # the three steps


def test_links_to_every_page_that_exists_and_to_no_other(open_app):
    app = open_app()
    existing = {page.title for page in pages.existing()} - {"Home", "Train live"}
    assert {link.proto.label for link in app.get("page_link")} == existing


@pytest.mark.skipif(not pages.TRAIN.path.is_file(), reason="pages/train_live/page.py is not there yet")
def test_the_one_button_opens_train_live(open_app):
    app = open_app()
    app.button(key="home_train").click().run()
    assert not app.exception
    assert not app.title, "the live page has no title: the whole screen is the stage"


def test_a_page_without_a_file_is_left_out(open_app, monkeypatch):
    ghost = pages.Page("no_such_page.py", "Ghost", "ghost", "Tools", "help", "Not there.")
    monkeypatch.setattr(pages, "PAGES", (*pages.PAGES, ghost))
    app = open_app()
    assert not app.exception
    assert "Ghost" not in {link.proto.label for link in app.get("page_link")}
