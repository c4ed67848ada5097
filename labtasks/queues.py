"""The queues of the bundled worker, by name."""

# of its own, so that the bundled worker takes no message of a learner's app
DEFAULT = "labtasks"
QUEUES = (DEFAULT,)
