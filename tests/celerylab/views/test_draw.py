"""Canvases as pictures, before and after they ran on a real worker."""

import re
import struct

import pytest
from celery import chain, chord, group
from celery.canvas import Signature
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from celerylab import Lab
from celerylab.errors import LabError
from celerylab.views.draw import draw_flow
from celerylab.views.flow import Flow, Folded, Outcome, Parallel, Series, Step, fold, from_signature
from celerylab.views.picture import Picture
from celerylab.views.sent import Call
from celerylab.views.short import short
from tests.celerylab.views.producer import add, app, multiply, process_data, sum_results

WIDEST = 900  # pixels of a notebook's column, and some

CANVASES = [
    (add.s(4, 4), "add(4, 4)"),
    (add.s(4, y=4), "add(4, y=4)"),
    (add.s(4, 4) | multiply.s(2), "add(4, 4) → multiply(…, 2)"),
    (add.s(4, 4) | add.si(1, 2), "add(4, 4) → add(1, 2)"),
    (group(add.s(1, 1), add.s(2, 2)), "[add(1, 1) | add(2, 2)]"),
    (group(add.s(n, n) for n in (1, 2)) | sum_results.s(), "[add(1, 1) | add(2, 2)] → sum_results(…)"),
    (chord([add.s(1, 1), add.s(2, 2)], sum_results.s()), "[add(1, 1) | add(2, 2)] → sum_results(…)"),
    (
        chain(group(add.s(1, 1), add.s(2, 2)), sum_results.s(), multiply.s(2), add.s(1)),
        "[add(1, 1) | add(2, 2)] → sum_results(…) → multiply(…, 2) → add(…, 1)",
    ),
    (
        add.s(1, 1) | group(add.s(1), add.s(2)) | sum_results.s(),
        "add(1, 1) → [add(…, 1) | add(…, 2)] → sum_results(…)",
    ),
    (group(group(add.s(1, 1), add.s(2, 2)), add.s(3, 3)), "[add(1, 1) | add(2, 2) | add(3, 3)]"),
    (
        chord([chord([add.s(1, 1), add.s(2, 2)], sum_results.s()), add.s(3, 3) | add.s(4)], sum_results.s()),
        "[[add(1, 1) | add(2, 2)] → sum_results(…) | add(3, 3) → add(…, 4)] → sum_results(…)",
    ),
    (
        group(add.s(1, 1), add.s(2, 2)) | group(sum_results.s(), sum_results.s()),
        "[add(1, 1) | add(2, 2)] → [sum_results(…) | sum_results(…)]",
    ),
    (add.starmap([(1, 1), (2, 2)]), "starmap(add, 2 items)"),
    (add.chunks([(n, n) for n in range(5)], 4), "[starmap(add, 4 items) | starmap(add, 1 items)]"),
]
every_canvas = pytest.mark.parametrize(("canvas", "text"), CANVASES, ids=[text for _, text in CANVASES])


def size(picture: Picture) -> tuple[int, int]:
    return struct.unpack(">II", picture.png[16:24])


@every_canvas
def test_signature_is_drawn_in_the_order_in_which_it_will_run(canvas: Signature, text: str) -> None:
    picture = draw_flow(from_signature(canvas))
    assert repr(picture) == text
    assert size(picture)[0] <= WIDEST


@every_canvas
def test_result_is_drawn_as_its_signature_with_states(lab: Lab, canvas: Signature, text: str) -> None:
    sent = canvas.apply_async()
    lab.follow(sent, timeout=30)
    drawn = repr(lab.draw(sent))
    assert drawn.replace(" SUCCESS", "") == text
    assert drawn.count("SUCCESS") == drawn.count("(")


def test_signature_that_came_as_json_is_drawn_all_the_same(lab: Lab) -> None:
    plain = dict(add.s(1, 1) | multiply.s(2))
    assert repr(lab.draw(plain)) == "add(1, 1) → multiply(…, 2)"


def test_empty_group_is_drawn_as_the_place_where_it_would_be() -> None:
    assert repr(draw_flow(from_signature(chord([], sum_results.s())))) == "[] → sum_results(…)"


def test_steps_behind_a_failed_one_say_that_they_did_not_run_well(lab: Lab) -> None:
    sent = (add.s(1, 1) | process_data.si([]) | multiply.s(2)).apply_async()
    lab.follow(sent, timeout=30)
    text = "add(1, 1) SUCCESS → process_data([]) FAILURE → multiply(…, 2) FAILURE"
    assert repr(lab.draw(sent)) == text


def test_wide_group_is_folded_and_its_failed_task_stays_in_sight(lab: Lab) -> None:
    header = [process_data.s([]) if n == 70 else add.s(n, n) for n in range(100)]
    sent = group(header).apply_async()
    lab.follow(sent, timeout=60)
    drawn = repr(lab.draw(sent))
    assert "process_data([]) FAILURE" in drawn
    assert sum(map(int, re.findall(r"(\d+) more", drawn))) + drawn.count("(") == 100


def test_result_known_by_its_id_alone_is_drawn_from_what_the_watch_saw(lab: Lab) -> None:
    with lab.watch() as seen:
        sent = add.delay(2, 3)
    lab._sent._calls.clear()
    assert repr(lab.draw(app.AsyncResult(sent.id))) == "add(2, 3) SUCCESS"
    assert len(seen) == 1
    assert lab._outcomes().of(sent).ran is not None


def test_ignored_result_has_the_state_that_its_events_told(lab: Lab) -> None:
    with lab.watch() as seen:
        sent = add.apply_async((2, 3), ignore_result=True)
    assert repr(lab.draw(sent)) == "add(2, 3) SUCCESS"
    assert len(seen) == 1


def test_unknown_id_is_drawn_as_a_task_without_a_name(lab: Lab) -> None:
    assert repr(lab.draw(app.AsyncResult("nobody"))) == "task() PENDING"


@pytest.mark.parametrize("wrong", [5, None, add, "add"])
def test_what_is_no_canvas_is_refused_by_its_kind(lab: Lab, wrong: object) -> None:
    with pytest.raises(LabError, match=r"lab\.draw takes a signature"):
        lab.draw(wrong)


@pytest.mark.parametrize("n", [1, 2, 6])
def test_what_stands_in_a_box_stays_within_it(monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    figures: list[Figure] = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: figures.append(figure))
    call = Call("process_image_of_a_partner", ("'…/broken.jpg'", "'400x300'", "'…/bucket'", "'a word more'"))
    draw_flow(Series(tuple(Step(call, n == 0, Outcome("FAILURE", "NotAPictureError")) for n in range(n))))
    (axes,) = figures[0].axes
    figures[0].draw_without_rendering()
    boxes = [each.get_window_extent() for each in axes.patches if each.get_zorder() == 2]
    written = [each.get_window_extent() for each in axes.texts]
    assert len(boxes) == n
    assert len(written) == 4 * n
    assert all(any(box.x0 <= text.x0 and text.x1 <= box.x1 for box in boxes) for text in written)


def test_addresses_and_long_values_are_shown_by_what_matters() -> None:
    assert short("http://127.0.0.1:41234/photos/1.jpg") == "'…/1.jpg'"
    assert short("x" * 50) == "'xxxxxxxx…xxxxxxx'"
    assert short([1, 2]) == "[1, 2]"


LEAF = st.builds(
    lambda state: Step(Call("t"), True, Outcome(state)), st.sampled_from(["SUCCESS", "FAILURE", "PENDING"])
)
FLOWS: st.SearchStrategy[Flow] = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=20).map(lambda parts: Series(tuple(parts))),
        st.lists(inner, max_size=20).map(lambda parts: Parallel(tuple(parts), len(parts))),
    ),
    max_leaves=60,
)


def leaves(flow: Flow) -> list[str]:
    """The state of each task, in sight or folded away."""
    if isinstance(flow, Folded):
        return list(flow.states.elements())
    if isinstance(flow, Step):
        assert flow.outcome
        return [flow.outcome.state]
    return [state for part in flow.parts for state in leaves(part)]


@given(FLOWS, st.integers(3, 8), st.integers(3, 8))
def test_folding_counts_every_task_and_keeps_the_limits(flow: Flow, long: int, wide: int) -> None:
    folded = fold(flow, long, wide)
    assert sorted(leaves(folded)) == sorted(leaves(flow))

    def check(part: Flow) -> None:
        if isinstance(part, Series | Parallel):
            # with a failed part in the middle there are two gaps
            assert len(part.parts) <= (long if isinstance(part, Series) else wide) + 1
            for each in part.parts:
                check(each)

    check(folded)
