"""How a task can fail for good, and what can become of its dead letter."""

EXCEPTION = "exception"
SOFT_LIMIT = "soft time limit"
HARD_LIMIT = "hard time limit"
PROCESS_LOST = "process lost"
REJECTED = "rejected"
EXPIRED = "expired"
REVOKED = "revoked"
TERMINATED = "terminated"
NOT_REGISTERED = "not registered"
REFUSED_CONTENT = "refused content type"
BAD_RESULT = "result not serialisable"
INTERNAL_ERROR = "internal error"
NO_TASK = "no task message"
KINDS = (
    EXCEPTION,
    SOFT_LIMIT,
    HARD_LIMIT,
    PROCESS_LOST,
    REJECTED,
    EXPIRED,
    REVOKED,
    TERMINATED,
    NOT_REGISTERED,
    REFUSED_CONTENT,
    BAD_RESULT,
    INTERNAL_ERROR,
    NO_TASK,
)

OPEN, CLAIMED, REPLAYED = "open", "claimed", "replayed"
STATES = (OPEN, CLAIMED, REPLAYED)
