"""Names of kombu's keys in Redis.

Source: kombu's Redis transport, ``kombu/transport/redis.py``.
"""

UNACKED = "unacked"
UNACKED_INDEX = "unacked_index"
UNACKED_MUTEX = "unacked_mutex"
# separator between a queue's name and the priority of one of its lists
PRIORITY = "\x06\x16"
BINDINGS = "_kombu.binding."  # what the names of the sets begin with that hold an exchange's queues
