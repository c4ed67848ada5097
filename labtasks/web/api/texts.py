"""What the API says to those who use it, in one place."""

NO_KEY = (
    "CELERYLAB_API_KEY is not set: without a key anybody could run tasks here. Make one with "
    "python -c 'import secrets; print(secrets.token_urlsafe(32))' and set it."
)
BAD_KEY = "CELERYLAB_API_KEY must be {least} or more printable ASCII characters, without spaces."
BAD_RATE = "CELERYLAB_API_RATE: Expected a rate such as 1200/minute, got {found!r}."

KEY_MISSING = "Send your key in the header X-API-Key."
KEY_WRONG = "This key is not the one of this service."
TOO_MANY = "Too many requests for this key: {rate} are allowed. Try again in {seconds} s."
AWAY = "The broker does not answer. Try again in {seconds} s."
UNKNOWN = "There is no task {id}: it was never sent from here, or its result has expired."
ENDED = "Task {id} has ended as {state}: there is nothing to cancel."
TOO_LARGE = "The body is too large: {bytes} bytes are allowed."
INVALID = "The request is not as it must be; see errors."

SUMMARY = "Send Celery tasks, follow them, cancel them."
DESCRIPTION = """
Every request under `/tasks` needs the key of the service in the header `X-API-Key`.

A task that was taken is answered with 202 and the address under which it can be followed.
`/tasks/{id}/events` is a WebSocket: send `{"key": "…"}` as the first message, then each change of the
task comes as a JSON message of the form that `GET /tasks/{id}` has, until it has ended. A message
`{"heartbeat": true}` comes when nothing else did for a while. The socket is closed with 4401 for a wrong
key, 4404 for a task that there is not, 4429 for too many requests, and 1013 if live events are not
to be had now: poll `GET /tasks/{id}` instead.
"""
