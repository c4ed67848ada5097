"""The SMTP catcher as a service of its own: ``python -m celerylab.stack.mailserver 1025 8025``.

What it holds is read over HTTP, as JSON: ``GET /mails`` lists the mail, oldest first, each as the
text that arrived; ``DELETE /mails`` throws it away; ``GET /delay`` and ``PUT /delay`` are the
seconds that each further mail takes. ``celerylab.stack.mailbox.MailService`` is its client.
"""

import json
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from celerylab.stack.mailbox import Mailbox

EVERYWHERE = "0.0.0.0"  # noqa: S104  # a container's own network


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    mailbox: Mailbox

    def do_GET(self) -> None:  # http.server's name
        """List the mail, or tell the delay."""
        if self.path == "/delay":
            self._answer(self.mailbox.delay)
        else:
            self._answer([mail.as_string() for mail in self.mailbox.messages])

    def do_DELETE(self) -> None:
        """Throw the mail away."""
        self.mailbox.clear()
        self._answer(None)

    def do_PUT(self) -> None:
        """Set the delay."""
        self.mailbox.delay = float(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer(None)

    def log_message(self, *_arguments: object) -> None:
        """Leave the log to what goes wrong."""

    def _answer(self, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main(smtp_port: int, http_port: int) -> None:
    """Catch mail until SIGTERM."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((EVERYWHERE, smtp_port))
    Handler.mailbox = Mailbox(bound)
    with ThreadingHTTPServer((EVERYWHERE, http_port), Handler) as server:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        server.serve_forever()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
