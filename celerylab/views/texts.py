"""What the views say to people, in one place."""

SECONDS_SINCE_FIRST = "seconds since the first task was sent"
WAITING = "waiting"
LANE_PROCESS = "{node}\nprocess {n}"
LANE_THREAD = "{node}\nthread {n}"
LANE_ONLY = "{node}"
LANE_NOWHERE = "no worker"

TIMELINE = "Timeline: {tasks} on {lanes}"
ONE_TASK = "1 task"
TASKS = "{n} tasks"
ONE_LANE = "1 lane"
LANES = "{n} lanes"
NOTHING_SEEN = "No task was seen."
NOT_IN_STATE = "Waited {seconds} s for {id} to be {state}; it was {seen}."
NO_EVENT = "not heard of"

SECONDS_SINCE_FORM = "seconds since the form was sent"
USER_WAITS = "user waits"
USER_WAITED = "{seconds:.2f} s"
WAITS = "Who waits for what. Users: {users}; below them the tasks in the worker's processes"

BARS = "Bars: {measures}, of {names}"
AND = " and "

SPEEDUP = "Speed-up over a plain loop, on processes: {processes}; beside the ideal"
SPEEDUP_MEASURED = "measured"
SPEEDUP_IDEAL = "ideal"
SPEEDUP_ALONE = "plain loop"
SPEEDUP_CORES = "this machine: {n} cores"
SPEEDUP_ONE_CORE = "this machine: 1 core"
SPEEDUP_PROCESSES = "processes"
SPEEDUP_TIMES = "times as fast as the loop"

COLUMN = {
    "task": "task",
    "id": "id",
    "args": "arguments",
    "state": "state",
    "worker": "worker",
    "process": "process",
    "waited": "waited (s)",
    "ran": "ran (s)",
}
NO_COLUMN = "A table has no column {name!r}. Columns: {names}."

QUEUE = "queue"
WAITING_MESSAGES = "waiting"
UNACKED_MESSAGES = "taken, not acknowledged"
NO_QUEUES = "No queue holds a message."

NO_MESSAGE = "No message waits in {queue!r}. Queues that hold messages: {queues}."
NO_SUCH_MESSAGE = "{queue!r} holds {n} messages: there is none at {index}."
NONE = "none"
SECTION_HEADERS = "headers: what the worker reads first"
SECTION_PROPERTIES = "properties: how it travels"
SECTION_BODY = "body: arguments, keyword arguments, and what follows"
VARIES = {
    "a UUID": "(a UUID)",
    "origin": "(process id and host of the sender)",
    "time": "(a time)",
}

ITEMS = "{n} items"
COMES = "…"
THEN = " → "
BESIDE = " | "
MORE = "{n} more"
NO_CANVAS = "lab.draw takes a signature, such as add.s(2, 3), or a result, not {kind}."
GROUP_OF = "group of {n}"
JOIN = "waits\nfor all {n}"
RAN = "{seconds:.2f} s"
RESULT = "= {value}"
UNKNOWN_TASK = "task"

FOLLOWING = "Progress of {name}"
FOLLOWED = "{name}: {state}"
FOLLOWED_FAILED = "{name}: {state}, {problem}"
FOLLOWED_TASKS = "{done} of {n} tasks done"
FOLLOWED_TASKS_FAILED = "{done} of {n} tasks done, {failed} of them failed"
NOT_FOLLOWED = "Followed {name} for {seconds} s; it is not ready: {how}. It goes on, if a worker runs it."
NO_RESULT = "lab.follow takes the result of a task, group, chord or chain, not {kind}."

PHOTO = "{caption}: {width} x {height} pixels"
PHOTO_FILE = "{said}, {size} kB"
NO_PHOTO = "gallery needs at least one photo, by its caption: gallery(before=path, after=address)."
