"""Search: three lists over the built-in passages or the learner's own, with progress that can be stopped."""

from __future__ import annotations

from concurrent.futures import Future

import numpy as np
import pytest

from core.models import cross_encoder
from core.retrieval import collection, embedding_run, vector_index
from core.retrieval import corpus as corpora
from pages.search import keys as search_keys
from tests.pages.workers import batch_sizes, in_this_process, runs_in_this_process  # noqa: F401
from ui import batches

PAGE = "search"
OWN = "Bats hunt with echoes.\nBread rises because of yeast.\nThe tide follows the Moon.\nBats sleep all day."


@pytest.fixture
def small(monkeypatch) -> corpora.Corpus:
    """Twelve passages and the questions about them instead of a hundred: the same page, sooner."""
    whole = corpora.built_in()
    found = corpora.Corpus(
        "small", whole.passages[:12], tuple(q for q in whole.questions if max(q.answers) < 12)
    )
    monkeypatch.setattr(corpora, "built_in", lambda: found)
    return found


@pytest.fixture
def calls(in_this_process, small, batch_sizes) -> list[int]:  # noqa: F811
    return batch_sizes


def until_done(app, limit: int = 60):
    """A browser would look again every half second; AppTest is told to."""
    for _ in range(limit):
        if not any(b.key == "search_stop" for b in app.button):
            return app
        app.run()
    raise AssertionError("the work never finished")


def places(app) -> dict[str, dict[str, str]]:
    return app.dataframe[-1].value.set_index("passage").to_dict("index")


def test_three_lists_with_what_moved(open_app, calls, small):
    app = until_done(open_app(PAGE))
    assert not app.exception and not app.warning and not app.error
    query = small.questions[0].text
    app.selectbox(key="search_example").set_value(query).run()
    assert app.text_input(key="search_query").value == query
    until_done(app)
    found = places(app)
    answer = small.passages[small.questions[0].answers[0]].full_text
    assert found[answer]["answer"] == "yes"
    read = {p: int(v["Re-ranked"]) for p, v in found.items() if v["Re-ranked"] != "–"}
    logits = cross_encoder.score_relevance([(query, passage) for passage in read]).logits
    assert sorted(read, key=read.get) == [list(read)[i] for i in np.argsort(-logits)]
    app.radio(key="search_guess").set_value("Yes").run()
    assert any("embedded before anybody asked" in m.value for m in app.markdown)


def test_own_passages_and_their_metrics(open_app, calls):
    app = open_app(PAGE, search="Corpus", search_corpus="My own")
    assert "no passage yet" in app.warning[0].value
    app.text_area(key="search_text").set_value(OWN).run()
    app.text_area(key="search_answers").set_value("How do bats find prey? | 1").run()
    assert not app.warning
    assert app.dataframe[0].value["passage"].tolist() == OWN.splitlines()
    app.button_group(key="search").set_value("Measure").run()
    until_done(app)
    quality = app.dataframe[0].value.set_index("way")
    assert quality.loc["Bi-encoder", "recall@5"] == 1.0
    assert set(quality.index) == {"BM25", "Bi-encoder", "Re-ranked"}
    app.button_group(key="search").set_value("Corpus").run()
    assert app.text_area(key="search_text").value == OWN, "typed text is kept while another view is shown"


def test_what_the_cross_encoder_cuts_is_said(open_app, calls):
    app = open_app(PAGE, search="Corpus", search_corpus="My own")
    app.text_area(key="search_text").set_value(f"{'yeast makes bread rise ' * 85}\nBats hunt.").run()
    app.button_group(key="search").set_value("Search").run()
    until_done(app)
    assert sum("of which the end is cut" in caption.value for caption in app.caption) == 1


def test_a_collection_is_embedded_stopped_gone_on_with_and_searched(
    open_app,
    calls,
    runs_in_this_process,  # noqa: F811
    tmp_path,
    monkeypatch,
):
    monkeypatch.setattr(embedding_run, "BATCH_TEXTS", 2)  # ten batches, four a look
    monkeypatch.setattr(vector_index, "EXACT_UP_TO", 5)
    file = tmp_path / "notes.txt"
    file.write_text(OWN + "\n" + "\n".join(f"Lamp {i} was repaired." for i in range(16)))
    found = collection.read(str(file), "notes", str(tmp_path / "home"), collection.Capacity(10**9, 10**9))
    app = open_app(PAGE, search_corpus="My own", search_model="static", search_query="When do bats sleep?")
    app.session_state["search_folder"] = found.folder
    app.run()
    assert not app.exception and app.button(key="own_stop").label == "Stop"
    app.button(key="own_stop").click().run()
    (run,) = runs_in_this_process.runs
    stood = runs_in_this_process.trainers[run].step
    assert 0 < stood < 20 and app.button(key="own_stop").label == "Go on"
    app.button(key="own_stop").click().run()
    for _ in range(4):
        app.run()
    assert not app.exception and not app.error
    assert any("graph of neighbours" in c.value for c in app.caption)
    assert any("of the first 10 are the same" in c.value for c in app.caption)
    assert places(app)["Bats sleep all day."]["BM25"] == "1"
    app.session_state["search_folder"] = str(tmp_path / "gone")
    app.run()
    assert "no longer on the server" in app.warning[0].value and not app.exception
    assert "no passage yet" in app.run().warning[0].value, "then the page is as without it"


def test_a_wrong_answer_number_names_its_line(open_app, calls):
    app = open_app(PAGE, search="Corpus", search_corpus="My own")
    app.text_area(key="search_text").set_value(OWN).run()
    app.text_area(key="search_answers").set_value("one | 1\ntwo | 9").run()
    assert "Line 2" in app.warning[0].value and not app.exception


def test_stop_asks_for_nothing_more_and_go_on_continues(open_app, calls):
    app = open_app(PAGE)
    assert any(b.key == "search_stop" for b in app.button)
    app.button(key="search_stop").click().run()
    asked = sum(calls)
    app.run()
    app.run()
    assert sum(calls) == asked
    app.button(key="search_stop").click().run()
    until_done(app)
    assert sum(calls) > asked


def test_embeddings_are_kept_by_text(open_app, calls, small):
    until_done(open_app(PAGE))
    asked = len(small.passages)
    until_done(open_app(PAGE, search_query="Why is bread fluffy?"))
    embedded = batches.vectors().progress(small.full_texts)
    assert embedded.done == asked
    assert sum(calls) == asked + 2 * min(20, asked), "a second query embeds no passage again"


def test_an_empty_query_is_one_sentence(open_app, calls):
    app = open_app(PAGE)
    app.text_input(key="search_query").set_value("  ").run()
    assert "The query is empty" in app.warning[0].value and not app.exception


def test_a_failing_batch_is_reported_and_asked_again():
    def failing(keys: list[str]) -> Future:
        future: Future = Future()
        if tries.append(len(keys)) or len(tries) == 1:
            future.set_exception(RuntimeError("It stopped."))
        else:
            future.set_result([len(key) for key in keys])
        return future

    tries: list[int] = []
    work = batches.Batches(failing, len, limit=3)
    assert work.advance(["a", "bb"]).done == 0
    with pytest.raises(RuntimeError, match="It stopped"):
        work.advance(["a", "bb"])
    work.advance(["a", "bb"])
    assert work.progress(["a", "bb", "a"]) == batches.BatchProgress(2, 2)
    assert work.known(["bb", "a", "c"]) == [2, 1, None]
    work.advance(["ccc", "dddd"])
    work.advance(["ccc", "dddd"])
    assert work.known(["bb", "a", "dddd"]) == [None, 1, 4], "the oldest goes when there are too many"
    assert search_keys.STOPPED.default is False


def test_passages_are_embedded_while_the_question_is_open_and_nothing_is_shown(open_app, calls, small):
    app = open_app(PAGE, revealed="false")
    for _ in range(4):
        app.run()
    assert sum(calls) == len(small.passages) and not app.exception
    assert any("Hidden until" in caption.value for caption in app.caption) and not app.dataframe
    assert not any("Working" in text.value for text in (*app.markdown, *app.caption))
