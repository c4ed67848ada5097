"""The queues of the bundled worker, by name."""

# each begins with the app's name: on a shared broker, a learner's app may have a queue high_priority, too
DEFAULT = "labtasks"
HIGH_PRIORITY = "labtasks.high_priority"
CPU_INTENSIVE = "labtasks.cpu_intensive"
IO_INTENSIVE = "labtasks.io_intensive"
QUEUES = (DEFAULT, HIGH_PRIORITY, CPU_INTENSIVE, IO_INTENSIVE)
