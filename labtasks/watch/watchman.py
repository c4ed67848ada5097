"""Look, note what is wrong, and tell a person: once, and once more when it is over."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from celery.utils.log import get_logger
from kombu.exceptions import OperationalError
from redis import RedisError

from labtasks.alerts import send_alert
from labtasks.queue_health import BrokerAway
from labtasks.watch.facts import ANSWER, Outcomes, gather
from labtasks.watch.incidents import Incident, Incidents
from labtasks.watch.rules import RULES, Rule

if TYPE_CHECKING:
    from celery import Celery

logger = get_logger(__name__)

Send = Callable[..., Any]
FIRING, RESOLVED = "firing", "resolved"
BROKER = "broker"


class Watchman:
    """Looks at one app's queues, workers and outcomes.

    Several may look at the same app, from anywhere: of those that look at the same moment one
    goes on, and what one has told no other tells.

    Parameters
    ----------
    app
        The app.
    rules
        What is worth an alert; ``RULES`` if not given.
    incidents
        Where open incidents are kept; in the broker's Redis, as the settings name it, if not given.
    send
        Called with a line of text and details by name. If it raises, it is called again at the
        next look.
    answer
        Seconds in which workers answer; each look takes so long, if a rule asks them.
    """

    def __init__(
        self,
        app: "Celery",
        rules: Sequence[Rule] | None = None,
        *,
        incidents: Incidents | None = None,
        send: Send = send_alert,
        answer: float = ANSWER,
    ) -> None:
        self.app, self.rules = app, tuple(RULES if rules is None else rules)
        names = [rule.name for rule in self.rules]
        if len(set(names)) < len(names):
            raise ValueError(f"each rule needs a name of its own, to tell their incidents apart: {names}")
        self.outcomes: Outcomes | None = None
        self._given, self._send = incidents, send
        self._answer = answer if any(rule.asks for rule in self.rules) else None
        # not in the broker: it is away
        self._broker: Incident | None = None

    @property
    def incidents(self) -> Incidents:
        """The open incidents."""
        if self._given is None:
            from labtasks import keeping

            # by app: another one on the same Redis must not end what it does not know
            self._given = Incidents(keeping.redis(), f"{self.app.main}.incidents")
        return self._given

    def watch(self, every: float) -> None:
        """Look again and again, in threads of this process, as long as it lives.

        Parameters
        ----------
        every
            Seconds between two looks.
        """
        self.outcomes = Outcomes()
        for target, name in (
            (lambda: self.outcomes.listen(self.app) if self.outcomes else None, "watch-events"),
            (lambda: self._look_every(every), "watch"),
        ):
            threading.Thread(target=target, name=name, daemon=True).start()

    def check(self) -> list[Incident]:
        """Look once, tell what is new and what is over, and return what is wrong.

        Returns
        -------
        list of Incident
            Those of which somebody was told; none if another process looks just now.
        """
        try:
            facts = gather(self.app, self.outcomes, self._answer)
            with self.incidents.mine() as mine:
                if not mine:
                    return []
                for rule in self.rules:
                    self.incidents.found(rule.name, rule.found(facts))
                self._tell_all()
                open_ones = [each for each in self.incidents.all() if each.told]
        except (BrokerAway, OperationalError, RedisError) as problem:
            return self._broker_is_away(problem)
        self._broker_is_back()
        return open_ones

    def _tell_all(self) -> None:
        needed = {rule.name: rule.looks for rule in self.rules}
        for incident in self.incidents.all():
            if incident.over:
                if self._tell(incident, RESOLVED):
                    self.incidents.close(incident)
            elif (
                not incident.told
                and incident.looks >= needed.get(incident.rule, 1)
                and self._tell(incident, FIRING)
            ):
                incident.told = True
                self.incidents.keep(incident)

    def _tell(self, incident: Incident, state: str) -> bool:
        text = incident.text if state == FIRING else f"over: {incident.text}"
        since = datetime.fromtimestamp(incident.since, UTC).isoformat(timespec="seconds")
        try:
            self._send(text, state=state, rule=incident.rule, subject=incident.subject, since=since)
        except Exception as problem:  # noqa: BLE001  # alerting may fail in any way
            logger.warning("told again at the next look: %s", problem)
            return False
        return True

    def _broker_is_away(self, problem: Exception) -> list[Incident]:
        if self._broker is None:
            now = datetime.now(UTC).timestamp()
            self._broker = Incident(BROKER, BROKER, "the broker does not answer", now)
        if not self._broker.told:
            self._broker.told = self._tell(self._broker, FIRING)
        logger.debug("%s", problem)
        return [self._broker]

    def _broker_is_back(self) -> None:
        if self._broker is not None and (not self._broker.told or self._tell(self._broker, RESOLVED)):
            self._broker = None

    def _look_every(self, seconds: float) -> None:
        pause = threading.Event()
        while True:
            try:
                self.check()
            except Exception:
                logger.exception("watch: what could not be looked at now is looked at again")
            pause.wait(seconds)
