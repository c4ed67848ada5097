"""The widget that looks through dead letters, and its text form."""

import os
import re
import uuid
from typing import Any

import ipywidgets  # type: ignore[import-untyped]
import pytest

from celerylab import Lab
from celerylab.views.dead_letters import STYLE, LettersBoard
from labtasks.dead_letters import DeadLetters
from tests.labtasks.letters import NOW, letter

QUEUE = "nobody-takes-these"


@pytest.fixture
def store(lab: Lab) -> DeadLetters:
    """Four letters, the newest first: c, b, a, and one that can't be replayed."""
    lab.redis.delete(QUEUE)
    made = DeadLetters(lab.url, uuid.uuid4().hex)
    raised = {"exception": "shop.Refused", "message": "<card> refused", "traceback": "File <shop>"}
    made.add(letter("a", task="shop.charge", routing_key=QUEUE, args=(1,), failed_at=NOW - 2, **raised))
    made.add(letter("b", task="shop.charge", routing_key=QUEUE, args=(2,), failed_at=NOW - 1, **raised))
    made.add(letter("c", task="shop.mail", routing_key=QUEUE, kind="expired", message="late", failed_at=NOW))
    made.add(letter("set", task="shop.sort", args=({3},), failed_at=NOW - 3))
    return made


@pytest.fixture
def board(lab: Lab, store: DeadLetters) -> LettersBoard:
    return lab.dead_letters(store).widget()


def inside(widget: Any, kind: type) -> list[Any]:
    children = getattr(widget, "children", ())
    return [widget] * isinstance(widget, kind) + [w for child in children for w in inside(child, kind)]


def press(board: LettersBoard, name: str) -> str:
    (button,) = [each for each in inside(board.box, ipywidgets.Button) if each.description == name]
    button.click()
    return said(board)


def said(board: LettersBoard) -> str:
    region = re.fullmatch(
        r'<div role="status" aria-live="polite">(.*?)\u200b?</div>', board.status.value, re.DOTALL
    )
    assert region
    return region[1]


def listed(board: LettersBoard) -> str:
    return " ".join(value for _, value in board.list.options)


def test_board_lists_the_newest_first_with_what_is_known_of_the_chosen_one(board: LettersBoard) -> None:
    assert listed(board) == "c b a set"
    assert said(board) == "4 of 4 dead letters."
    assert "no worker" not in board.details.value
    assert board.list.value == "c"
    board.list.value = "a"
    assert "shop.Refused: &lt;card&gt; refused" in board.details.value
    assert "<pre>File &lt;shop&gt;</pre>" in board.details.value
    assert "open      charge, exception: Refused: <card> refused" in board.list.options[2][0]
    board.list.value = "set"
    assert "no replay, because" in board.details.value


def test_buttons_step_through_the_list_and_stop_at_its_ends(board: LettersBoard) -> None:
    chosen = []
    for name in ("Newer", "Older", "Older", "Older", "Older", "Newer"):
        answer = press(board, name)
        chosen.append((board.list.value, answer[:6]))
    assert chosen == [
        ("c", "1 of 4"),
        ("b", "2 of 4"),
        ("a", "3 of 4"),
        ("set", "4 of 4"),
        ("set", "4 of 4"),
        ("a", "3 of 4"),
    ]


def test_filters_leave_what_fits(board: LettersBoard) -> None:
    board.kind.value = "exception"
    assert (listed(board), said(board)) == ("b a set", "3 of 4 dead letters.")
    board.task.value = "charge"
    board.text.value = "CARD"
    assert listed(board) == "b a"
    board.state.value = "replayed"
    assert (listed(board), board.details.value) == ("", "")
    assert press(board, "Replay") == "No letter is chosen."


def test_replay_sends_the_chosen_one_once(board: LettersBoard, lab: Lab) -> None:
    board.list.value = "b"
    answer = press(board, "Replay")
    assert re.fullmatch(r"Replayed b as [0-9a-f-]{36}\.", answer)
    assert board.list.value == "b", "what was chosen stays chosen"
    assert "replayed as" in board.details.value
    assert lab.peek(QUEUE).body[0] == [2]
    assert press(board, "Replay").startswith("Not done: b was replayed already, as ")
    assert lab.redis.llen(QUEUE) == 1


def test_replay_of_all_listed_asks_first_and_says_what_was_refused(board: LettersBoard, lab: Lab) -> None:
    assert press(board, "Replay all listed") == "Press once more to replay those of these 4 that are open."
    assert lab.redis.llen(QUEUE) == 0
    answer = press(board, "Replay all listed")
    assert answer.startswith("Replayed: 3. Refused: 1. JSON can&#x27;t take its arguments: ")
    assert lab.redis.llen(QUEUE) == 3


def test_drop_asks_first_and_for_each_letter_anew(board: LettersBoard, store: DeadLetters) -> None:
    assert press(board, "Drop").startswith("Press Drop once more to remove c.")
    board.list.value = "b"
    assert press(board, "Drop").startswith("Press Drop once more to remove b.")
    assert press(board, "Drop") == "Dropped b."
    assert listed(board) == "c a set"
    assert store.count() == 3


def test_drop_of_all_listed_asks_again_if_there_are_more_by_then(
    board: LettersBoard, store: DeadLetters
) -> None:
    board.task.value = "charge"
    assert press(board, "Drop all listed").startswith("Press once more to remove 2 dead letters.")
    store.add(letter("new", task="shop.charge"))
    assert press(board, "Drop all listed").startswith("Press once more to remove 3 dead letters.")
    assert press(board, "Drop all listed") == "Dropped: 3."
    assert {one.id for one in store.find()} == {"c", "set"}


def test_what_others_did_meanwhile_is_said(board: LettersBoard, store: DeadLetters) -> None:
    store.drop("c")
    assert press(board, "Replay").startswith("Not done: there is no dead letter &#x27;c&#x27;")
    assert press(board, "Look again") == "3 of 3 dead letters."
    small = DeadLetters(store.url, store.name, keep=1)
    small.trim()
    assert press(board, "Look again").endswith(
        "Gone before: 2 because there were too many, 0 because they were too old."
    )


def test_store_that_is_away_is_said(lab: Lab) -> None:
    board = lab.dead_letters(DeadLetters("redis://127.0.0.1:1/0")).widget()
    assert said(board).startswith("Not done: the store of dead letters does not answer")


def test_labels_when_a_screen_reader_meets_them(board: LettersBoard) -> None:
    for kind in (ipywidgets.Text, ipywidgets.Select):
        for field in inside(board.box, kind):
            assert field.description
    buttons = inside(board.box, ipywidgets.Button)
    assert len({button.tooltip for button in buttons}) == len(buttons) == 7
    assert 'role="heading" aria-level="3"' in board.box.children[0].value
    before = board.status.value
    press(board, "Look again")
    assert board.status.value != before, "an equal sentence is not read out again"


def test_style_when_themes_differ() -> None:
    colours = re.findall(r"(?:color|background|border[a-z-]*|outline): ([^;]+);", STYLE)
    assert colours
    assert not [one for one in colours if re.search(r"#|rgb|\b(red|green|black|white|gr[ae]y)\b", one)]


def test_text_form_holds_nothing_that_differs_from_run_to_run(lab: Lab, store: DeadLetters) -> None:
    store.add(letter(str(uuid.uuid4()), task="shop.mail", failed_at=NOW + 1))
    view = lab.dead_letters(store)
    assert repr(view).splitlines()[2:] == [
        "mail               exception             open   …",
        "mail               expired               open   c",
        "charge  2          exception  Refused    open   b",
        "charge  1          exception  Refused    open   a",
        "sort    {3}        exception             open   set",
    ]
    assert set(view._repr_mimebundle_()) == {"text/plain", "text/html"}
    store.drop_all()
    assert repr(view) == "There are no dead letters."


def test_store_of_the_bundled_worker_is_the_default(lab: Lab) -> None:
    lab.client.send_task("labtasks.basics.process_data", ([],), task_id="bundled-fails", queue="labtasks")
    view = lab.dead_letters()
    for _ in range(500):
        if "bundled-fails" in repr(view):
            break
        lab.redis.blpop("nothing-comes", timeout=0.02)
    assert "process_data  []         exception  ValueError  open   bundled-fails" in repr(view)


def test_looking_leaves_the_environment_as_it_is(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CELERYLAB_BROKER_URL", raising=False)
    assert repr(lab.dead_letters())
    assert "CELERYLAB_BROKER_URL" not in os.environ
