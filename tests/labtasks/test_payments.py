"""Payments are made once, by whatever tasks, deliveries and kills."""

import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from celerylab import Lab
from celerylab.stack.control import client
from labtasks import payments
from labtasks.accounts import NoSuchAccount, NotEnough, OrderMismatch, balance_of, open_account, receipts
from labtasks.database import engine
from labtasks.parameters import BadParameters
from tests.processes import within

CHARGE = "labtasks.payments.charge"
ORDERS = 60
KILLS = 1
PATIENCE = {"CELERYLAB_VISIBILITY_TIMEOUT": "1"}


@pytest.fixture(params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/payments.sqlite3" if sqlite else request.getfixturevalue("postgresql")
    monkeypatch.setenv("CELERYLAB_DATABASE_URL", url)
    yield url
    engine().dispose()


@pytest.fixture
def account(database: str) -> str:
    name = uuid4().hex
    open_account(name, 1000)
    return name


def test_order_is_charged_once_and_every_call_returns_the_receipt(account: str) -> None:
    first = payments.charge(f"1-{account}", account, 300)
    assert (
        first
        == payments.charge(f"1-{account}", account, 300)
        == payments.charge(f"1-{account}", account=account, amount=300)
    )
    assert first == {"receipt": first["receipt"], "order": f"1-{account}", "account": account, "amount": 300}
    assert payments.charge(f"2-{account}", account, 300)["receipt"] != first["receipt"]
    assert balance_of(account) == 400
    assert len(receipts(account)) == 2


def test_threads_that_charge_an_order_at_once_charge_it_once(account: str) -> None:
    together = Barrier(8)

    def pay(_: int) -> Any:
        together.wait()
        return payments.charge(account, account, 100)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(pay, range(8)))
    assert found == [found[0]] * 8
    assert balance_of(account) == 900


def test_more_than_there_is_is_refused_and_leaves_no_trace(account: str) -> None:
    with pytest.raises(NotEnough, match=f"{account} has 1000, and order dear costs 1001"):
        payments.charge("dear", account, 1001)
    assert (balance_of(account), receipts(account)) == (1000, [])
    assert payments.charge(f"dear-{account}", account, 1000)["amount"] == 1000


def test_charges_at_once_never_take_more_than_there_is(account: str) -> None:
    def pay(number: int) -> bool:
        try:
            payments.charge(f"{number}-{account}", account, 300)
        except NotEnough:
            return False
        return True

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(pay, range(6))) == 3
    assert balance_of(account) == 100


def test_account_that_there_is_not_is_refused_by_name(database: str) -> None:
    order = uuid4().hex
    with pytest.raises(NoSuchAccount, match="there is no account nobody"):
        payments.charge(order, "nobody", 1)
    with engine().connect() as connection:
        look = text("SELECT count(*) FROM payments WHERE order_id = :order")
        assert connection.scalar(look, {"order": order}) == 0


def test_order_that_comes_back_with_other_contents_is_refused(account: str) -> None:
    open_account(f"other-{account}", 1000)
    payments.charge(account, account, 300)
    with pytest.raises(
        OrderMismatch, match=f"order {account} was charged before, 300 to {account}, and not 301"
    ):
        payments.charge(account, account, 301)
    with pytest.raises(OrderMismatch, match=f"and not 300 to other-{account}"):
        payments.charge(account, f"other-{account}", 300)
    assert (balance_of(account), balance_of(f"other-{account}")) == (700, 1000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("o", "a", 0), r"charge: Expected `int` >= 1 - at `\$.amount`; known: order, account, amount"),
        (("o", "a", -5), r"at `\$.amount`"),
        (("o", "a", payments.LARGEST + 1), r"at `\$.amount`"),
        (("o", "a", 1.5), r"Expected `int`, got `float` - at `\$.amount`"),
        (("o", "a", "5"), r"Expected `int`, got `str` - at `\$.amount`"),
        (("o", "a", True), r"Expected `int`, got `bool` - at `\$.amount`"),
        (("", "a", 5), r"Expected `str` of length >= 1 - at `\$.order`"),
        ((7, "a", 5), r"Expected `str`, got `int` - at `\$.order`"),
        (("o", None, 5), r"Expected `str`, got `null` - at `\$.account`"),
        (("x" * 201, "a", 5), r"at `\$.order`"),
    ],
)
def test_bad_parameter_is_refused_by_name(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(BadParameters, match=message):
        payments.charge(*arguments)


def test_process_that_is_killed_between_key_and_money_leaves_neither(account: str) -> None:
    code = (
        "import os, sys; from sqlalchemy import event; from labtasks import accounts\n"
        "from labtasks.database import engine\n"
        "@event.listens_for(engine(), 'before_cursor_execute')\n"
        "def kill(connection, cursor, statement, *rest):\n"
        "    if statement.startswith('UPDATE accounts'): os.kill(os.getpid(), 9)\n"
        "accounts.take(sys.argv[1], sys.argv[1], 300)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, account], capture_output=True)
    assert killed.returncode == -9, killed.stderr
    assert (balance_of(account), receipts(account)) == (1000, [])
    payments.charge(account, account, 300)
    assert (balance_of(account), len(receipts(account))) == (700, 1)


def test_charge_whose_worker_is_killed_in_the_middle_is_delivered_again(lab: Lab, account: str) -> None:
    with lab.broker() as apart:
        with engine().begin() as holding:  # the task waits for this lock
            lock = text("UPDATE accounts SET balance = balance WHERE name = :name")
            holding.execute(lock, {"name": account})
            worker = lab.worker("labtasks.app:app", name="killed", broker=apart, env=PATIENCE)
            sent = client(apart.url).send_task(CHARGE, (account, account, 10), queue="labtasks")
            worker.until(running=1)
            worker.kill()
        assert apart.redis().hlen("unacked") == 1
        assert receipts(account) == []
        with lab.worker("labtasks.app:app", name="killed", broker=apart, env=PATIENCE) as worker:
            assert [sent.get(timeout=30)] == receipts(account)
            worker.kill()
    assert balance_of(account) == 990


def test_orders_are_charged_once_each_while_their_workers_are_killed(lab: Lab, account: str) -> None:
    chance = random.Random(3)
    orders = [f"{number}-{account}" for number in range(ORDERS)]
    with lab.broker() as apart:
        sender, redis = client(apart.url), apart.redis()

        def send(order: str) -> Any:
            return sender.send_task(CHARGE, (order, account, 10), queue="labtasks")

        def drained() -> bool:
            return not redis.exists("labtasks", "unacked")

        # each is sent twice, besides what is delivered again
        sent = [(order, send(order)) for order in orders for _ in (1, 2)]
        for _ in range(KILLS):
            some = len(receipts(account)) + chance.randrange(1, 8)
            worker = lab.worker("labtasks.app:app", name="killed", broker=apart, env=PATIENCE)
            assert within(30, lambda some=some: len(receipts(account)) >= some)  # type: ignore[misc]
            worker.kill()
        assert len(receipts(account)) < ORDERS, "the last worker was killed when all was done"
        with lab.worker("labtasks.app:app", name="killed", broker=apart, env=PATIENCE) as worker:
            assert within(60, drained)
            # the broker forgets what a worker was just reading when it was killed: its sender repeats it
            sent = [(order, result if result.ready() else send(order)) for order, result in sent]
            assert [result.get(timeout=30)["order"] for _, result in sent] == [order for order, _ in sent]
            worker.kill()
    assert sorted(each["order"] for each in receipts(account)) == sorted(orders)
    assert balance_of(account) == 1000 - 10 * ORDERS
