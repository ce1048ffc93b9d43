"""Home shows a recording that is what it says, hands sentences over, and offers the pages there are."""

from __future__ import annotations

import json

from core.data import sentence_sets
from core.types import TrainingConfig
from pages.home import recording
from ui import pages


def test_opens_without_error_and_says_one_thing_first(open_app):
    app = open_app()
    assert not app.exception
    assert app.title[0].value == "Watch a model learn what belongs together"


def test_links_to_every_page_that_exists_and_to_no_other(open_app):
    links = [link.proto.page for link in open_app().get("page_link")]
    assert sorted(links) == sorted(page.url_path for page in pages.existing() if page is not pages.HOME)


def test_the_typed_sentences_stand_in_the_text_box_of_the_live_page(open_app):
    app = open_app()
    app.text_area[0].set_value("sea | Waves broke.\nsea | The tide came in.\ntea | It is hot.").run()
    app.button(key="home_train").click().run()
    assert not app.exception
    assert app.text_area(key="text").value.startswith("sea | Waves broke.")
    assert app.session_state["set"] == "own"
    assert any("3 sentences, 3 pairs to train on" in caption.value for caption in app.caption)


def test_an_emptied_box_leads_to_the_live_page_as_it_opens(open_app):
    app = open_app()
    app.text_area[0].set_value("").run()
    app.button(key="home_train").click().run()
    assert not app.exception
    assert app.session_state["set"] == "sentiment"


def test_the_recording_is_of_the_set_as_it_is_and_of_the_settings_it_names():
    data = json.loads(recording.FILE.read_text(encoding="utf-8"))
    shown = recording.recording()
    chosen = sentence_sets.load_set(data["set"])
    assert shown.sentences.texts == chosen.sentence_set.texts, "run scripts/record_home.py again"
    assert shown.sentences.groups == chosen.sentence_set.groups
    config = TrainingConfig.from_mapping(data["settings"])
    assert all(getattr(config, name) == value for name, value in chosen.settings.items())
    assert shown.steps[-1] == config.steps
    assert shown.xy.shape == (len(shown.steps), len(shown.sentences), 2)
    for words in (chosen.title, "all-MiniLM-L6-v2", f"{config.steps} steps", f"seed {config.seed}"):
        assert words in shown.about


def test_a_page_without_a_file_is_left_out(open_app, monkeypatch):
    ghost = pages.Page("no_such_page.py", "Ghost", "ghost", "Tools", "help", "Not there.")
    monkeypatch.setattr(pages, "PAGES", (*pages.PAGES, ghost))
    app = open_app()
    assert not app.exception
    assert "Ghost" not in {link.proto.label for link in app.get("page_link")}
