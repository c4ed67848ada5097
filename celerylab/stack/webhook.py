"""A real HTTP receiver in this process, whose requests can be looked into."""

import functools
import json
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from celerylab.stack import ports, texts
from celerylab.stack.waiting import wait_for


@dataclass(frozen=True)
class Received:
    """A request that arrived.

    Attributes
    ----------
    method, path
        As sent.
    headers
        By lower-case name.
    body
        Decoded, if it was JSON; text otherwise.
    at
        Seconds on a clock that only goes forward, to compare with those of other requests.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    at: float


class Webhook:
    """Requests that have arrived, oldest first. Each is answered with JSON.

    Parameters
    ----------
    delay
        Seconds before each answer.
    status
        HTTP status of the answers.
    answer
        Body of the answers.
    host
        Name or address of this machine on which it listens.
    failures
        Requests, the first ones, that are answered with 503 instead.
    """

    def __init__(
        self,
        delay: float = 0.0,
        status: int = 200,
        answer: object = None,
        host: str = ports.HOST,
        failures: int = 0,
    ) -> None:
        ports.check(host)
        self.host = host
        self.delay = delay
        self.status = status
        self.failures = failures
        self.answer = {"received": True} if answer is None else answer
        self._kept: list[Received] = []
        self._lock = threading.Lock()
        self._server = _Server((host, 0), _handler(self))
        serve = functools.partial(self._server.serve_forever, poll_interval=0.05)
        threading.Thread(target=serve, name="celerylab-webhook", daemon=True).start()

    @property
    def url(self) -> str:
        """Where to send requests."""
        return f"http://{self.host}:{self._server.server_port}"

    @property
    def requests(self) -> list[Received]:
        """The requests so far."""
        return list(self._kept)

    def wait(self, n: int = 1, timeout: float = 10.0) -> list[Received]:
        """Return the requests once there are ``n``; ``Timeout`` after so many seconds."""
        return wait_for(n, "requests", lambda: self._kept, timeout)

    def clear(self) -> None:
        """Throw away what has arrived."""
        self._kept.clear()

    def stop(self) -> None:
        """Close the server; senders are refused from now on."""
        self._server.shutdown()
        self._server.server_close()

    def keep(self, received: Received) -> int:
        """Take note of a request, and return the status of its answer."""
        with self._lock:
            self._kept.append(received)
            if self.failures > 0:
                self.failures -= 1
                return HTTPStatus.SERVICE_UNAVAILABLE
        return self.status

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Received]:
        return iter(self.requests)

    def __repr__(self) -> str:
        kept = self.requests
        title = texts.WEBHOOK_ONE if len(kept) == 1 else texts.WEBHOOK_REPR.format(n=len(kept))
        return "\n".join(
            [
                title,
                *(
                    texts.WEBHOOK_LINE.format(method=one.method, path=one.path, body=json.dumps(one.body))
                    for one in kept
                ),
            ]
        )


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep the notebook's output free of senders that gave up or were killed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler(webhook: Webhook) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _take(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length).decode(errors="replace")
            try:
                body = json.loads(raw) if raw else None
            except ValueError:
                body = raw
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = webhook.keep(Received(self.command, self.path, headers, body, time.monotonic()))
            time.sleep(webhook.delay)
            answer = json.dumps(webhook.answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _take  # noqa: N815  # http.server's names

        def log_message(self, *_: object) -> None:
            """Keep the notebook's output free of a line for each request."""

    return Handler
