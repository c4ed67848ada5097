"""What each service is asked before it counts as healthy: a question that only it can answer."""

import smtplib
from collections.abc import Callable

from celerylab.container import services, texts
from celerylab.container.secrets import read
from celerylab.errors import LabError

PONG_TIMEOUT = 5.0
HTTP_TIMEOUT = 5.0


class Unhealthy(LabError):
    """The service can't do its work; the message says why."""


def worker() -> None:
    """Ask the bundled worker, over the broker."""
    _ping(services.bundled_node())


def beat() -> None:
    """Ask Beat, over the broker; it is silent once its scheduler hangs."""
    _ping(services.beat_node())


def flower() -> None:
    """Ask Flower, with its password, for the workers that it sees; without, it must refuse."""
    base = f"http://127.0.0.1:{services.FLOWER_PORT}"
    _get(f"{base}/api/workers", 401)
    if not _get(f"{base}/api/workers?status=true", 200, auth=services.flower_login()):
        raise Unhealthy(texts.NO_WORKERS)


def api() -> None:
    """Ask the API whether tasks can be sent; without the key, it must refuse to tell of one."""
    base = f"http://127.0.0.1:{services.API_PORT}"
    _get(f"{base}/tasks/none", 401)
    _get(f"{base}/health", 200)


def mail() -> None:
    """Greet the SMTP server, and ask for the mail that it holds."""
    try:
        with smtplib.SMTP("127.0.0.1", services.MAIL_SMTP_PORT, timeout=HTTP_TIMEOUT) as server:
            server.noop()
    except OSError as problem:
        raise Unhealthy(texts.NO_SMTP.format(port=services.MAIL_SMTP_PORT, problem=problem)) from problem
    _get(f"http://127.0.0.1:{services.MAIL_HTTP_PORT}/mails", 200)


def jupyter() -> None:
    """Ask JupyterLab, with its token, how it is."""
    headers = {"Authorization": f"token {read('JUPYTER_TOKEN')}"}
    _get(f"http://127.0.0.1:{services.jupyter_port()}/api/status", 200, headers=headers)


PROBES: dict[str, Callable[[], None]] = {
    "worker": worker,
    "beat": beat,
    "flower": flower,
    "api": api,
    "mail": mail,
    "jupyter": jupyter,
}


def _ping(node: str) -> None:
    import redis

    from celerylab.stack import control

    url = services.broker_url()
    try:
        redis.Redis.from_url(url, socket_timeout=PONG_TIMEOUT).ping()
    except redis.RedisError as problem:
        address = f"{services.BROKER_HOST}:{services.BROKER_PORT}"
        raise Unhealthy(texts.NO_BROKER.format(address=address, problem=problem)) from problem
    if not control.ping(url, node, PONG_TIMEOUT):
        raise Unhealthy(texts.NO_PONG.format(node=node, seconds=PONG_TIMEOUT))


def _get(url: str, wanted: int, **options: object) -> object:
    import httpx

    try:
        answer = httpx.get(url, timeout=HTTP_TIMEOUT, trust_env=False, **options)  # type: ignore[arg-type]
    except httpx.TransportError as problem:
        raise Unhealthy(f"{url}: {problem!r}") from problem
    if answer.status_code != wanted:
        raise Unhealthy(texts.NO_HTTP.format(url=url, found=answer.status_code, wanted=wanted))
    return answer.json() if wanted == 200 else None
