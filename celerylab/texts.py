"""Every fixed sentence that the command, the map and the progress show a learner.

They stand in one module so that an edition in another language can replace them.
"""

# The course and its map
PHASES = {
    1: "Set up",
    2: "Canvas",
    3: "Beat, errors, dead letters",
    4: "Monitoring, web, capstone",
}
PHASE = "Phase {number}: {title}"
PHASE_TIMED = "{phase} ({time})"
MAP_COLUMNS = ("No.", "Lesson", "Time", "Yours", "Exercises", "Quiz", "State")
HOURS = "{hours} h"
MINUTES = "{minutes} min"
SHARE = "{right} of {all}"
DONE = "done"
BEGUN = "begun"
EXERCISE = "exercise {id}"
QUIZ = "the quiz"
OPEN_QUESTIONS = "{count} of the quiz"
NEXT_LINE = "Next: {step}"
NEXT_LINE_MARKDOWN = "**Next:** {step}"
NEXT = "{lesson}"
NEXT_TIMED = "{lesson}, about {time}"
NEXT_GO_ON = "go on with {lesson} (still open: {rest})"
NEXT_IN = "{what} in {lesson}"
NEXT_UNDER = '{what} in {lesson}, under "{section}"'
NEXT_THEN = "; then {rest}"
ALL_DONE = "Every exercise and every quiz is right. The course is done."
NO_LESSONS = "This copy of the course holds no lessons."
UNKNOWN_LESSON = "There is no lesson {id!r}. These exist: {known}."
NONE_YET = "none"

# Progress
BAD_ITEM = 'Progress is kept for ids such as "1-2" or "1-2a", not for {item!r}.'
NOT_RECORDED = (
    "Celery Lab: your progress is not recorded, because {path} cannot be written ({problem}). "
    "Lessons work all the same; `celerylab doctor` says more."
)
PROGRESS_UNREADABLE = "The progress in {path} cannot be read ({problem}). `celerylab doctor` says more."
PROGRESS_DAMAGED = (
    "Celery Lab: the progress file {path} was damaged. It is kept as {kept}, and a new one was begun."
)
NEWER_PROGRESS = (
    "{path} was written by a newer Celery Lab (its schema is {found}, this one knows {known}). "
    "Update the clone with `git pull`."
)

# celerylab
ERROR = "celerylab: {problem}"
HELP = "Celery Lab: start it, check it, see how far you got."
LAB_HELP = "Start JupyterLab at the course's first page, on this machine only, behind a random token."
PORT_HELP = "The port to listen on. Without it: 8888, or the next free one."
HOST_HELP = "The address to listen on. 0.0.0.0 lets other machines in (a container needs it)."
BROWSER_HELP = "Open the course in a browser."
DOCTOR_HELP = "Check this installation and say how to mend what is wrong. Ends with 1 if something is."
BUNDLE_HELP = (
    "Instead of checking, copy the course and its packages into this folder, for machines without "
    "internet: there, make lab installs from it."
)
BUNDLE_PLATFORM_HELP = "A platform that the folder is for: {known}. Name each; none means this one."
BUNDLE_PYTHON_HELP = "A Python that the folder is for: {known}. Name each; none means this one."
BUNDLE_ONLY = "--platform and --python say what --offline-bundle makes. Name its folder, or leave them out."
BUNDLE_TAKEN = "{folder} holds something else. Name a folder that is not there yet."
BUNDLE_COURSE = "The course is in {folder}."
BUNDLE_DOWNLOADING = "Downloading the packages for {platform}, Python {python} …"
BUNDLE_DONE = (
    "{count} packages, {size} MiB. Copy {folder} to each machine; there: make lab (or make doctor, to check)."
)
BUNDLE_NO_TOOL = "{tool} is not there. Install the course with make lab, then try again."
BUNDLE_FAILED = (
    "{tool} failed. What has been downloaded is kept: run the command again to go on. Its message:\n{problem}"
)
PROGRESS_HELP = "Show your progress and your time, lesson by lesson."
PROGRESS_JSON_HELP = "Print it as JSON, to gather it from a room."
RESET_HELP = (
    "Begin a lesson again: forget its progress, give it back as it was published. "
    "Your own version is moved to a backup, nothing is deleted."
)
LESSON_HELP = "The lesson's number, such as 1-2."
YES_HELP = "Do not ask."

# celerylab lab
STARTING = "Celery Lab is starting"
READY = "Celery Lab is ready: {address}\nCtrl-C stops it."
OPEN_TO_ALL = (
    "It listens on {host}: whoever reaches its port can open it. The token in the address is the only lock."
)
STOPPED = "Celery Lab has stopped."
PORT_IN_USE = (
    "Port {port} of {host} is taken by another program. "
    "Give another one (--port {other}, or `make lab PORT={other}`), or none to get a free one."
)
PORT_REFUSED = (
    "Port {port} of {host} cannot be used ({problem}). "
    "Give another one (--port 8888, or `make lab PORT=8888`), or none to get a free one."
)
BAD_HOST = "{host!r} is not an address of this machine ({problem}). Without --host it is 127.0.0.1."
NO_ANSWER = "JupyterLab did not answer within {seconds:.0f} s. Run `celerylab doctor`."

# celerylab next
NEXT_HELP = "Say what to do next: which lesson, exercise or quiz, and where it is."
NEXT_FILE = "  file     {path}"
NEXT_ADDRESS = "  address  {address}"
NEXT_NO_LAB = "  `make lab` starts JupyterLab, where it opens."

# celerylab reset
RESET_ASK = "Forget your progress in lesson {id} ({title}), and give it back as it was published?"
RESET_LEFT = "Nothing was changed."
FORGOTTEN = "Forgotten: {count} exercises and quiz questions of lesson {id}."
GIVEN_BACK = "Given back as published: {notebook}. If it is open in JupyterLab, close it and open it again."
UNCHANGED = "As published already: {notebook}."
KEPT = "Your own version is in {folder}: {names}."
NOT_PUBLISHED = (
    "{notebook} stays as it is, because git cannot say how it was published ({problem}). "
    "A fresh copy of the course has it."
)
NO_GIT = "there is no git command"
GIT_SLOW = "git did not answer"
CANNOT_KEEP = "Lesson {id} stays as it is: no backup of it can be made ({problem}). Make {folder} writable."

# celerylab dead-letters
LETTERS_HELP = "Look at tasks that failed for good, replay them, drop them."
LETTERS_LIST_HELP = "List dead letters, those that failed last first."
LETTERS_SHOW_HELP = "Show all that is known of one."
LETTERS_REPLAY_HELP = "Send a task again: same arguments, same queue. Of many who do so, one sends it."
LETTERS_DROP_HELP = "Remove dead letters."
LETTER_ID_HELP = "The task's id, as in the list."
LETTERS_URL_HELP = "The broker's address. Without it: CELERYLAB_BROKER_URL."
LETTERS_NAME_HELP = "The store's name, if it is not that of labtasks."
LETTERS_ALL_HELP = "All that the filters leave."
LETTERS_TASK_HELP = "Of this task; * stands for anything."
LETTERS_KIND_HELP = "That failed like this: {kinds}."
LETTERS_EXCEPTION_HELP = "With this exception; * stands for anything."
LETTERS_SINCE_HELP = "Failed no longer ago: 30m, 2h, 7d, or a date."
LETTERS_UNTIL_HELP = "Failed before that: 30m, 2h, 7d ago, or a date."
LETTERS_TEXT_HELP = "With this text in id, arguments, message or traceback."
LETTERS_STATE_HELP = "In this state: {states}."
LETTERS_LIMIT_HELP = "How many on a page."
LETTERS_PAGE_HELP = "Which page."
LETTERS_JSON_HELP = "Print JSON."
LETTERS_FORCE_HELP = "Send it though a replay was begun and never finished; it may run twice then."
LETTERS_NO_URL = (
    "There is no broker to ask. Give --url, or set CELERYLAB_BROKER_URL to an address such as "
    "redis://127.0.0.1:6379/0."
)
LETTERS_NO_KIND = "There is no kind {given!r}. These exist: {known}."
LETTERS_NO_STATE = "There is no state {given!r}. These exist: {known}."
LETTERS_COLUMNS = ("failed at", "task", "kind", "what", "state", "id")
LETTERS_NONE = "There are no dead letters."
LETTERS_NONE_FIT = "No dead letter fits the filters. Without them there are {all}."
LETTERS_NO_PAGE = "There is no page {page}: {n} dead letters fit on {pages}."
LETTERS_PAGE = "{first} to {last} of {n}."
LETTERS_MORE = "{first} to {last} of {n}. The next: --page {page}"
LETTERS_GONE = "Gone: {size} because there were too many, {age} because they were too old."
LETTERS_ONE_OR_ALL = "Say which: an id, or --all with filters if you like."
LETTERS_NOT_BOTH = "Give an id, or --all with filters; not both."
LETTERS_FILTER_NEEDS_ALL = "Filters go with --all."
LETTERS_FORCE_NEEDS_ID = "--force goes with one id."
LETTERS_ASK_REPLAY = "Replay {n} dead letters?"
LETTERS_ASK_DROP = "Drop {n} dead letters? They can't be brought back."
LETTERS_LEFT = "Nothing was done."
LETTERS_REPLAYED = "Replayed {id} as {new_id}."
LETTERS_NOT_REPLAYED = "Not replayed: {id}: {problem}"
LETTERS_SUMMARY = "Replayed: {sent}. Not replayed: {refused}."
LETTERS_DROPPED = "Dropped: {n}."
LETTERS_NO_BROKER = (
    "The broker does not answer ({problem}). What was not replayed stays as it is; try again later."
)
LETTERS_NO_LABTASKS = "The package {package} is not installed here: {problem}"

# celerylab doctor
LEVELS = {"ok": "ok", "note": "note", "wrong": "wrong"}
FINDING = "{level:<6} {text}"
MEND = "       → {mend}"
ALL_WELL = "Everything the course needs works."
SOME_WRONG = "{count} wrong. The line below each says how to mend it."
CHECK_FAILED = "{name}: {kind}: {problem}"
CHECK_FAILED_MEND = "Report this line with the course's version: the check itself failed."
REINSTALL = "Run `rm -rf .venv && make lab` in the clone: it installs again what the course was tested with."

PYTHON = "Python {version}"
PYTHON_MEND = "Install Python {oldest} or newer, then run `rm -rf .venv && make lab PYTHON=/path/to/python3`."
PLATFORM = "{system} on {machine}"
BROKER_STARTS = "embedded broker: starts, and answers"
BROKER_ANSWERS = "broker of CELERYLAB_BROKER_URL: answers"
BROKER_SILENT = "broker of CELERYLAB_BROKER_URL: no answer"
BROKER_SILENT_MEND = "Start that broker, or unset CELERYLAB_BROKER_URL to use the embedded one."
BROKER_FAILS = "embedded broker: {problem}"
BROKER_MUTE = "starts, but does not answer"
BROKER_FAILS_MEND = (
    "Use Docker (the README has the command), or set CELERYLAB_BROKER_URL to a Redis server of your own."
)
PACKAGES = "packages: {count} as requirements.lock pins them"
NO_LOCK = "packages: requirements.lock is not there, so versions cannot be compared"
PACKAGES_MISSING = "packages: {names} not installed"
PACKAGES_DIFFER = "packages: other versions than the course was tested with: {names}"
PACKAGE_DIFFERS = "{name} {found} (tested: {pinned})"
KERNEL = "notebook kernel python3: this environment's Python"
NO_KERNEL = "notebook kernel python3: not installed"
OTHER_KERNEL = "notebook kernel python3: starts {python}, which is not this environment's Python"
OTHER_KERNEL_MEND = (
    "Run `jupyter kernelspec remove python3` for the one in {folder}, then `celerylab doctor` again."
)
WIDGETS = "JupyterLab's widgets: installed"
NO_WIDGETS = "JupyterLab's widgets: not installed, so quizzes show as text"
LOOPBACK = "loopback: ports can be opened"
NO_LOOPBACK = "loopback: no port can be opened on 127.0.0.1 ({problem})"
NO_LOOPBACK_MEND = "Allow local connections in the firewall or sandbox that runs this."
HOME = "progress: kept in {home}"
HOME_WRONG = "progress: {home} cannot be written ({problem})"
HOME_MEND = "Make that folder writable, or set CELERYLAB_HOME to one that is."
PROGRESS_MEND = "Your progress is not shown until then; lessons work."
FOREIGN_NONE = "environment: no variable stands in the way of the course's apps"
FOREIGN = "environment: {names} win over the broker and backend that a lesson gives its app"
FOREIGN_SET_ASIDE = (
    "environment: {names} win over what an app says. Notebooks set them aside, a terminal does not"
)
FOREIGN_MEND = "Run `unset {names}`, and start the lab from that shell."
DISK = "disk: {free} MB free in {folder}"
DISK_MEND = "Free some space: the lessons write pictures and small databases."
SEMAPHORES = "prefork: semaphores work"
NO_SEMAPHORES = "prefork: this system refuses semaphores ({problem})"
NO_SEMAPHORES_MEND = "Mount /dev/shm (in Docker: --shm-size=64m), or allow sem_open."
FIRST_TASK = "first task: 2 + 3 came back as {found} from the bundled worker"
FIRST_TASK_FAILS = "first task: {problem}"
FIRST_TASK_MEND = "Mend what is wrong above; if nothing is, report this with the log above."
