"""The network between a program and its broker: what somebody who listens there would see."""

import asyncio
import ssl
import threading
from pathlib import Path
from urllib.parse import quote

from celerylab.stack import texts
from celerylab.stack.broker import Broker
from celerylab.stack.owner import owner
from celerylab.stack.ports import HOST

CHUNK = 64 * 1024  # bytes
STOP_TIMEOUT = 5.0  # s


class Wire:
    """A way to a broker on which every byte is kept.

    Parameters
    ----------
    broker
        Where it leads.
    tls
        Whether what travels is encrypted.
    """

    # With TLS, the broker's end of it is a front that holds a certificate, as stunnel or a
    # provider's load balancer is: Valkey's wheel has no TLS of its own.

    def __init__(self, broker: Broker, *, tls: bool = False) -> None:
        self.tls = tls
        self.authority: Path | None = None
        self.port = 0
        self._password = broker.url.partition("@")[0].rpartition(":")[2]
        self._kept = bytearray()
        self._open: set[asyncio.StreamWriter] = set()
        context = None
        if tls:
            self.authority, context = _certificate()
        listening = threading.Event()
        self._thread = threading.Thread(
            target=asyncio.run,
            args=(self._serve(broker.port, context, listening),),
            name="celerylab-wire",
            daemon=True,
        )
        self._thread.start()
        listening.wait(STOP_TIMEOUT)

    @property
    def url(self) -> str:
        """The broker's address by this way; with TLS, it names the authority to trust."""
        where = f":{self._password}@{HOST}:{self.port}/0"
        if not self.authority:
            return f"redis://{where}"
        return f"rediss://{where}?ssl_cert_reqs=required&ssl_ca_certs={quote(str(self.authority))}"

    def saw(self, text: str) -> bool:
        """Say whether a text has passed so that anybody could read it."""
        return text.encode() in self._kept

    def __len__(self) -> int:
        """Bytes that have passed, in both directions."""
        return len(self._kept)

    def __repr__(self) -> str:
        return texts.WIRE_TLS if self.tls else texts.WIRE_PLAIN

    def stop(self) -> None:
        """Cut it."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(STOP_TIMEOUT)

    async def _serve(self, target: int, context: ssl.SSLContext | None, listening: threading.Event) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        servers = []
        if context:
            servers.append(await self._listen(target, context=context))
            target = servers[0].sockets[0].getsockname()[1]
        servers.append(await self._listen(target, keep=True))
        self.port = servers[-1].sockets[0].getsockname()[1]
        listening.set()
        await self._end.wait()
        for server in servers:
            server.close()
        while self._open:
            self._open.pop().transport.abort()
            await asyncio.sleep(0)

    async def _listen(
        self, target: int, *, context: ssl.SSLContext | None = None, keep: bool = False
    ) -> asyncio.Server:
        async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                onward_reader, onward_writer = await asyncio.open_connection(HOST, target)
            except OSError:  # the broker is down
                writer.close()
                return
            ends = {writer, onward_writer}
            self._open |= ends
            await asyncio.gather(
                self._pump(reader, onward_writer, keep=keep), self._pump(onward_reader, writer, keep=keep)
            )
            self._open -= ends

        return await asyncio.start_server(relay, HOST, 0, ssl=context)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, keep: bool) -> None:
        try:
            while passed := await reader.read(CHUNK):
                if keep:
                    self._kept += passed
                writer.write(passed)
                await writer.drain()
        except OSError:  # either end was cut
            pass
        finally:
            writer.close()


def _certificate() -> tuple[Path, ssl.SSLContext]:
    """Make an authority and a certificate of it for loopback; return its file and the context."""
    import trustme

    authority = trustme.CA()
    path = owner().folder / f"authority-{id(authority):x}.pem"
    authority.cert_pem.write_to_path(path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(HOST).configure_cert(context)
    return path, context
