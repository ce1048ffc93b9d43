"""One class in real browsers: a teacher, three phones and a projector, from the first sentence on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from core.classroom import rooms, stage
from core.classroom.activities import PredictActivity, RunActivity, SittingActivity
from core.storage.database import FILE_NAME, Database
from tests.browser.fixtures import Server
from tests.browser.helpers import no_errors, settled, shot

PATIENCE = 60_000
SENTENCES = {
    "happy": ("What a lovely day.", "We won the cup.", "Everybody laughed."),
    "sad": ("My dog is ill.", "I lost my keys and cried.", "The rain ruined our picnic."),
}


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    """The server's own: activities are put into its list more quickly than a teacher types them."""
    with Database.open(f"sqlite:///{server.home / FILE_NAME}") as opened:
        yield opened


def sees(page: Page, text: str) -> None:
    expect(page.get_by_text(text).first).to_be_visible(timeout=PATIENCE)


def press(page: Page, name: str, exact: bool = False) -> None:
    settled(page)
    page.get_by_role("button", name=name, exact=exact).click()


def join(page: Page, nickname: str) -> None:
    page.get_by_label("Nickname, if you like").fill(nickname)
    press(page, "Join", exact=True)
    expect(page.get_by_label("Nickname, if you like")).to_have_count(0, timeout=PATIENCE)


def send(page: Page, group: str, text: str) -> None:
    settled(page)
    page.get_by_role("radio", name=group, exact=True).click()
    page.get_by_label("Your sentence").fill(text)
    press(page, "Send")
    sees(page, f"{group}: {text}")


def vote(page: Page, answer: str) -> None:
    page.get_by_role("radio", name=answer, exact=True).click()
    sees(page, f"Your answer is in: {answer}")


def test_a_class_goes_from_sentences_to_the_test(open_page, database):
    teacher = open_page("/class", width=1366, height=768)
    press(teacher, "Open a room", exact=True)
    sees(teacher, "Nobody sees an activity yet")
    code = teacher.url.split("room=")[1].split("&")[0]
    room = rooms.find(database, code)
    teacher.get_by_text("Add one activity").click()
    expect(teacher.get_by_label("Groups, with commas")).to_be_visible()
    press(teacher, "Add", exact=True)
    sees(teacher, "1. Send a happy or a sad sentence")
    question = PredictActivity(title="Will happy and sad part?", options=("Yes", "No"), note="They do.")
    run = RunActivity(title="Watch it learn", steps=8, seed=8762)
    stage.add(database, room.id, [question, run, SittingActivity(title="Before we begin")])
    rooms.set_approval(database, room.id, True)  # what waits is let through below

    phones = [
        open_page(f"/class?room={code}", width=390, height=844, scheme=scheme) for scheme in ("light", "dark")
    ]
    for phone, nickname in zip(phones, ("Ada", "**Bo** <b>")):
        join(phone, nickname)
        sees(phone, "You are in.")
    screen = open_page(f"/class?room={code}&as=screen", width=853, height=480)
    sees(screen, "2 joined")
    shot(screen, "class-screen-welcome", full=False)

    press(teacher, "1. Send a happy")
    for phone, group in zip(phones, SENTENCES):
        sees(phone, "Send a happy or a sad sentence")
        for text in SENTENCES[group]:
            send(phone, group, text)
    sees(screen, "0 of 2 have sent 0 sentences")
    press(teacher, "Show all 6 that wait")
    sees(screen, "2 of 2 have sent 6 sentences")
    expect(phones[0].get_by_test_id("moving-map")).to_be_visible(timeout=PATIENCE)
    shot(phones[1], "class-phone-collect-dark")
    settled(teacher)
    teacher.get_by_role("button", name="Hide", exact=True).first.click()
    sees(screen, "have sent 5 sentences")
    press(teacher, "Show", exact=True)
    sees(screen, "have sent 6 sentences")

    press(teacher, "2. Will happy and sad part?")
    for phone, answer in zip(phones, ("Yes", "No")):
        vote(phone, answer)
    sees(screen, "2 of 2 have answered.")
    expect(screen.get_by_test_id("class-bars")).to_have_count(0)
    press(teacher, "Second round")
    for phone in phones:
        sees(phone, "Second round, after talking.")
        vote(phone, "No")
    shot(phones[0], "class-phone-predict")
    press(teacher, "Reveal")
    for page in (*phones, screen):
        expect(page.get_by_test_id("class-bars")).to_be_visible(timeout=PATIENCE)
        sees(page, "1 of 2 changed their answer.")
    shot(screen, "class-screen-reveal", full=False)
    shot(teacher, "class-teacher-reveal")

    late = open_page("/class", width=390, height=844)  # and by the code, typed in small letters
    late.get_by_label("Code").fill(code.lower())
    press(late, "Join", exact=True)
    join(late, "")
    expect(late.get_by_test_id("class-bars")).to_be_visible(timeout=PATIENCE)
    phones.append(late)
    phones[0].reload()
    sees(phones[0], "Ada")
    expect(phones[0].get_by_test_id("class-bars")).to_contain_text("yours", timeout=PATIENCE)

    press(teacher, "3. Watch it learn")
    sees(late, "Your teacher starts the training.")
    press(teacher, "Start the run for everybody")
    for page in (*phones, screen):
        sees(page, "Finished · step 8 of 8")
        expect(page.get_by_test_id("moving-map")).to_be_visible(timeout=PATIENCE)
        expect(page.locator(".pairs")).to_contain_text("·", timeout=PATIENCE)
        expect(page.locator(".pairs")).not_to_contain_text("…", timeout=PATIENCE)  # read by both models
    shot(late, "class-phone-run")
    shot(screen, "class-screen-run", full=False)

    press(teacher, "4. Before we begin")
    sees(screen, "0 of 3 have handed in")
    press(late, "Begin", exact=True)
    sees(late, "Question 1 of")
    late.get_by_test_id("class-choices").get_by_role("radio").first.click()
    sees(late, "Question 2 of")
    late.reload()
    sees(late, "Question 2 of")
    shot(late, "class-phone-test")
    for page in (teacher, screen, *phones):
        settled(page)
        expect(page.get_by_text("They do.")).to_have_count(0)
        no_errors(page)
