"""A dashboard counts what happens, stops by itself, and says the same in every run."""

import _thread
import os
import signal
import threading
from io import BytesIO

import pytest
from PIL import Image

from celerylab import Lab
from celerylab.errors import LabError
from celerylab.stack.waiting import wait_for
from celerylab.views.dashboard import Dashboard
from celerylab.views.meter import Meter, percentile
from celerylab.views.runs import Run
from tests.celerylab.views.producer import add, long_task


def test_counts_what_was_sent_and_stops_when_all_is_done(lab: Lab) -> None:
    with lab.dashboard(idle=0.3) as board:
        for n in range(20):
            add.delay(n, n)
        add.delay(None, 1)
    assert (board.ended, board.sent, board.done, board.failed) == ("idle", 21, 20, 1)
    assert board.workers == [lab.bundled.node]
    assert 0 < board.percentile("ran", 50) <= board.percentile("ran", 95) < 5
    assert [row[:4] for row in board.table().rows] == [["labtasks.basics.add", 21, 20, 1]]
    assert repr(board) == (
        "Dashboard: queues, rates, latency and workers; stopped, because nothing was left to do"
    )
    assert Image.open(BytesIO(board._repr_png_())).width > 600
    assert threading.active_count() == len([t for t in threading.enumerate() if "dashboard" not in t.name])


def test_stops_at_its_limit_though_a_task_runs_on(lab: Lab) -> None:
    with lab.dashboard(idle=0.3, limit=0.5) as board:
        result = long_task.delay(4)
    assert (board.ended, board.sent, board.done) == ("limit", 1, 0)
    result.get(timeout=20)


def test_an_interrupt_ends_the_dashboard_alone(lab: Lab) -> None:
    # as in a kernel; a shell has its background jobs ignore it
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        board = lab.dashboard(idle=60)
        with board:
            # not before it listens: what is loaded at the start may take an interrupt for itself
            threading.Timer(0.3, _thread.interrupt_main).start()
    finally:
        signal.signal(signal.SIGINT, before)
    assert board.ended == "interrupt"


@pytest.mark.timeout(60)
def test_an_interrupt_before_it_listens_ends_what_has_begun_and_runs_no_block(lab: Lab) -> None:
    broker = lab.broker()
    board, alone = Dashboard(broker.url, idle=60), Dashboard(broker.url, idle=60)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    os.kill(broker.process.pid, signal.SIGSTOP)
    try:
        _interrupt_soon()
        with pytest.raises(KeyboardInterrupt), board:
            pytest.fail("the block ran")
        _interrupt_soon()
        alone.run()
    finally:
        signal.signal(signal.SIGINT, before)
        os.kill(broker.process.pid, signal.SIGCONT)
    assert (board.ended, alone.ended) == ("interrupt", "interrupt")
    assert Image.open(BytesIO(alone._repr_png_())).width > 600
    listening = {"celerylab-watch"}
    wait_for(1, "end", lambda: listening - {thread.name for thread in threading.enumerate()}, 20)


def _interrupt_soon() -> None:
    # to this thread, so that it wakes whatever waits for the broker
    me = threading.get_ident()
    threading.Timer(0.3, signal.pthread_kill, (me, signal.SIGINT)).start()


def test_what_the_block_raises_is_raised(lab: Lab) -> None:
    with pytest.raises(ZeroDivisionError), lab.dashboard(idle=60) as board:
        1 / 0  # noqa: B018
    assert board.ended == "error"


def test_says_what_it_cannot_tell(lab: Lab) -> None:
    board = lab.dashboard()
    with pytest.raises(LabError, match="waited, ran"):
        board.percentile("slept")
    with pytest.raises(LabError, match="up to 100"):
        board.percentile("ran", 0)


def test_longest_queue_is_kept_and_other_lists_are_none(lab: Lab) -> None:
    for n in range(7):
        lab.client.send_task("nobody's", queue="unread", priority=n)
    lab.redis.lpush("no queue", "x")
    with lab.dashboard(idle=0.3) as board:
        wait_for(1, "look", lambda: [True] if board.longest else [], 20)
        lab.redis.delete(*lab.redis.keys("unread*"), "no queue")
    assert board.longest == {"unread": 7}
    assert board._depth["unread"][-1] == 0


def test_rates_and_percentiles() -> None:
    runs = [
        Run("a", "t", worker="w", sent=0.1, started=0.2, finished=0.4, state="SUCCESS"),
        Run("b", "t", worker="w", sent=0.2, started=0.6, finished=1.3, state="FAILURE"),
        Run("c", "u", worker="v", received=1.4, started=1.45, state="STARTED"),
    ]
    meter = Meter(1.5, runs)
    ends, rates = meter.rates()
    assert ends == [0.5, 1.0, 1.5]
    assert rates == {"sent": [4, 0, 2], "done": [2, 0, 0], "failed": [0, 0, 2]}
    # the last step is longer, not a short one of its own
    assert Meter(1.6, runs[2:]).rates()[1]["sent"] == [0, 0, pytest.approx(1 / 0.6)]
    assert meter.workers() == {"v": (0, 1), "w": (2, 0)}
    assert meter.percentile("waited", 50) == pytest.approx(0.1)
    assert meter.percentile("ran", 95, "t") == pytest.approx(0.7)
    assert meter.percentile("ran", 95, "u") is None


@pytest.mark.parametrize(("percent", "expected"), [(1, 1), (50, 2), (51, 3), (95, 4), (100, 4)])
def test_percentile_is_a_value_that_was_seen(percent: float, expected: int) -> None:
    assert percentile([4, 1, 3, 2], percent) == expected
