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
SCALING = "Throughput of 1 to {most} workers beside the ideal: {names}"
SCALING_IDEAL = "{name}, ideal"
SCALING_MEASURED = "{name}, measured"
SCALING_WORKERS = "workers"
SCALING_RATE = "tasks per second"
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

DASHBOARD = "Dashboard: queues, rates, latency and workers{ended}"
DASHBOARD_ENDED = {
    None: "",
    "idle": "; stopped, because nothing was left to do",
    "limit": "; stopped at its time limit",
    "interrupt": "; stopped by an interrupt",
    "error": "; stopped by an error",
}
DASHBOARD_LIVE = "Dashboard: updates in JupyterLab while tasks run"
DASHBOARD_ALT = (
    "Dashboard after {seconds:.0f} s. Waiting: {waiting}. Sent: {sent}, done: {done}, failed: {failed}. "
    "Workers: {workers}."
)
DASHBOARD_SECONDS = "seconds"
DASHBOARD_DEPTH = "messages waiting, by queue"
DASHBOARD_NO_DEPTH = "no queue held a message"
DASHBOARD_RATES = "tasks a second"
DASHBOARD_RATE = {"sent": "sent", "done": "done", "failed": "failed"}
DASHBOARD_LATENCY = "latency (s): half, and 95 of 100, are faster"
DASHBOARD_TIMES = {"waited": "waited", "ran": "ran"}
DASHBOARD_PERCENTILE = "{what}, p{percent}"
DASHBOARD_WORKERS = "tasks ended, by worker"
DASHBOARD_WORKER = " {done}, and {running} running"
DASHBOARD_NOBODY = "no worker was heard of"
DASHBOARD_COLUMNS = ("task", "sent", "done", "failed", "waited p50 (s)", "p95 (s)", "ran p50 (s)", "p95 (s)")
DASHBOARD_PERCENT = "percent={percent} is none: give a number above 0, up to 100."
DASHBOARD_WHAT = "There is no time {what!r}. Choose one of: waited, ran."

PHOTO = "{caption}: {width} x {height} pixels"
PHOTO_FILE = "{said}, {size} kB"
NO_PHOTO = "gallery needs at least one photo, by its caption: gallery(before=path, after=address)."

BACKOFF = "Backoff: longest delays {longest} s; delays observed of {tasks}"
BACKOFF_LONGEST = "longest delay"
BACKOFF_OBSERVED = "observed"
BACKOFF_RETRY = "retry"
BACKOFF_SECONDS = "seconds since the attempt before"
BACKOFF_TOO_MANY = "A task was tried {n} times; longest names the delays before {known} retries only."

NO_ZONE = (
    "{moment} has no timezone: nobody can say when that is. "
    'Give one, as in datetime(2026, 11, 30, tzinfo=ZoneInfo("Asia/Tokyo")).'
)
NO_SCHEDULE = "{found} is a {kind}, and no schedule: give seconds, a timedelta, or a crontab."
TOO_MANY_RUNS = "More than {most} runs between {start} and {end}: show less time."
NO_INTERVAL = "An interval of {found} s is none: it must be longer than 0 s."

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
PREVIEW = "{days} days from {start} on, {zone}"
PREVIEW_DAY = "{days} day from {start} on, {zone}"
PREVIEW_MEANT = "; the schedule is meant in {zone}"
PREVIEW_COLUMNS = ("entry", "schedule", "runs", "next")
EVERY = "every {n} {unit}"
NEVER = "never"
CALENDAR = "Runs of {names}. {title}"
A_RUN = "a run"
MANY_RUNS = "runs too close to tell apart"
WEEKEND = "weekend"
CALENDAR_LEGEND = (A_RUN, MANY_RUNS, WEEKEND)
ONE_RUN = "1 run"
RUNS = "{n} runs"
TIME_IN = "{year}, by the clock of {zone}"
NO_ENTRY = "The schedule has no entry {name!r}. Entries: {names}."
NO_ENTRIES = "lab.preview takes a beat_schedule, a dictionary of entries, or an app, not {kind}."
EMPTY_SCHEDULE = "The schedule is empty: Beat would send nothing."
NO_DAYS = "days is {days}; a preview shows more than 0 and at most {longest}."
ENTRY_WITHOUT = "Entry {name!r} has no 'schedule': it is a dictionary with 'task' and 'schedule'."
ENTRY_FAILED = "Entry {name!r}: {problem}"
UNKNOWN_ZONE = "There is no timezone {zone!r}.{hint}"
SUCH_AS = " Near it: {names}."

LETTER_ID = "id"
LETTER_TASK = "task"
LETTER_CALL = "arguments"
LETTER_KIND = "failed by"
LETTER_EXCEPTION = "what"
LETTER_WHEN = "when"
LETTER_RETRIES = "retries"
LETTER_QUEUE = "queue"
LETTER_NODE = "worker"
LETTER_STATE = "state"
LETTER_REPLAYED = "replayed as {id}"
LETTER_CLAIMED = "a replay as {id} was begun and has not ended"
LETTER_REPLAY_OF = "is a replay of"
LETTER_ROOT = "first of its workflow"
LETTER_PARENT = "sent by"
LETTER_PROBLEM = "no replay, because"

LETTERS_COLUMNS = ("task", "arguments", "failed by", "exception", "state", "id")
LETTERS_NONE = "There are no dead letters."
LETTERS_TITLE = "Dead letters"
LETTERS_ANY = "any"
LETTERS_TEXT = "Text in it:"
LETTERS_TASK = "Task:"
LETTERS_KIND = "Failed by:"
LETTERS_STATE = "State:"
LETTERS_LIST = "Letters:"
LETTERS_LINE = "{when}  {state:<8}  {task}, {kind}: {what}"
LETTERS_ONE = "Dead letter {id}"
LETTERS_CHOSEN = "{n} of {all}: {line}"
LETTERS_NEWER = "Newer"
LETTERS_NEWER_HINT = "Choose the letter above in the list"
LETTERS_OLDER = "Older"
LETTERS_OLDER_HINT = "Choose the letter below in the list"
LETTERS_REPLAY = "Replay"
LETTERS_REPLAY_HINT = "Send the chosen task again"
LETTERS_DROP = "Drop"
LETTERS_DROP_HINT = "Remove the chosen letter"
LETTERS_REPLAY_ALL = "Replay all listed"
LETTERS_REPLAY_ALL_HINT = "Send all tasks again that the filters leave"
LETTERS_DROP_ALL = "Drop all listed"
LETTERS_DROP_ALL_HINT = "Remove all letters that the filters leave"
LETTERS_AGAIN = "Look again"
LETTERS_AGAIN_HINT = "Read the list again"
LETTERS_SAID = "{n} of {all} dead letters."
LETTERS_SAID_MORE = "The newest {shown} are listed."
LETTERS_SAID_GONE = "Gone before: {size} because there were too many, {age} because they were too old."
LETTERS_REPLAYED = "Replayed {id} as {new_id}."
LETTERS_REPLAYED_ALL = "Replayed: {n}. Refused: {refused}."
LETTERS_DROPPED = "Dropped {id}."
LETTERS_DROPPED_ALL = "Dropped: {n}."
LETTERS_SURE_DROP = "Press Drop once more to remove {id}. It can't be brought back."
LETTERS_SURE_REPLAY_ALL = "Press once more to replay those of these {n} that are open."
LETTERS_SURE_DROP_ALL = "Press once more to remove {n} dead letters. They can't be brought back."
LETTERS_NOTHING_CHOSEN = "No letter is chosen."
LETTERS_PROBLEM = "Not done: {problem}"
