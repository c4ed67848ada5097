"""Every fixed sentence that a container prints."""

MADE = "Made at random: {names}. To read one: docker compose run --rm settings show {first}"
UNKNOWN_NAME = "{name!r} is no secret of this course. These are: {known}."
NOT_MADE = (
    "{path} cannot be read: the service `settings` has not run. Start the stack with `docker compose up`."
)
NOT_ALLOWED = (
    "{name} is empty, too short, or holds what it can't: it becomes part of an address, so it takes 8 or "
    "more letters, digits, and - . _ ~. Correct it in .env, or remove the line, and a random one is made."
)
UNKNOWN_PROFILE = "COMPOSE_PROFILES names {name!r}. The profiles of this course are: {known}."
UNKNOWN_QUEUE = "WORKER_QUEUES names {name!r}. The queues of this course are: {known}."
BAD_CONCURRENCY = "WORKER_CONCURRENCY is {value!r}. It takes a whole number from 1 on."
UNKNOWN_SERVICE = "There is no service {name!r}. These exist: {known}."
POSTGRESQL = "Results and records are kept in PostgreSQL."
REFUSED = "Celery Lab: {problem}"

# health
NO_BROKER = "Redis at {address} cannot be reached: {problem}"
NO_PONG = "{node} is connected to no broker, or hangs: no answer to a ping for {seconds:g} s"
NO_HTTP = "{url} answers {found}, not {wanted}"
NO_WORKERS = "Flower sees no worker"
NO_SMTP = "no SMTP server answers on port {port}: {problem}"
HEALTHY = "healthy"
