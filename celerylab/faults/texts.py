"""What a fault test says, in one place."""

TITLE = "Fault test of {module}"
PASSED, FAILED_ON = "passed", "failed on: {lines}"
NONE_FAILED = "no line failed, {n} not judged"
STOPPED_EARLY = "stopped at the first failure"
OK, FAILED, NOT_JUDGED = "ok", "FAILED", "not judged"
COLUMNS = ("line", "found", "verdict")
SEEN, LOOK_AT = "seen", "look at"
FAULTS = "faults"
NO_FAULTS = "none"
OTHERS = {
    "worker": "workers that somebody else has ended: {n}",
    "broker": "times that somebody else has ended the broker: {n}",
    "api": "times that somebody else has ended the API: {n}",
}

LINES = {
    "in": "photos in",
    "lost": "none lost",
    "double": "none double",
    "waiting": "no task waits for another",
    "urgent": "urgent before bulk",
    "hidden": "no failure hidden",
    "tries": "tries bounded",
    "letters": "dead letters accounted for",
}
FOUND = {
    "in": "{sent} sent, {taken} taken, {stored} stored",
    "lost": "good photos: {good}, in the album: {out}, renditions that can be read: {renditions} of {wanted}",
    "double": "rows in the album: {rows}, photos in it: {photos}",
    "waiting": "tasks held in mid-work: {looks}, others that waited for it: {found}",
    "urgent": "urgent photos: {urgent}, later than half of the bulk before them: {late}",
    "hidden": "bad pictures: {bad}, called a success: {hidden}",
    "tries": "bad pictures: {bad}, tries of one: {tries} at most",
    "letters": "letters: {letters}, alerted once: {alerted}, mended and replayed: {replayed} of {mended}",
}
TIMES = {1: "once", 2: "twice"}
N_TIMES = "{n} times"
LESSONS = {
    "in": "4-4, where the API answers only for what it has stored and sent",
    "lost": "1-4 and 3-5: when is a message forgotten, and which kill strikes the gap before `unacked`?",
    "double": "3-5: what does the second run of a task find?",
    "waiting": "2-4 and 2-7: who goes on when all parts are done?",
    "urgent": "2-6: which queue does each message of an urgent photo lie in?",
    "hidden": "3-3: what does Celery make of a task that returns?",
    "tries": "3-3: who gives up, and when?",
    "letters": "3-6: what is kept of a task that failed for good?",
}
SEEN_LINES = {
    "refused": "the API answered {status} for {names}",
    "not_stored": "the API took {names}, and stored nothing",
    "no_row": "no message is left, no task runs, and the album lacks {names}",
    "stuck": "nothing has moved for {seconds:g} s, and the album lacks {names}",
    "stranded": "messages wait in {queues}, and no worker of the service takes from there",
    "left": "messages are left, that wait or that a worker holds, of {names}",
    "broken": "renditions that are missing, or can't be read: {names}",
    "failed": "{photo} is in the dead letters: {why}",
    "double": "the album has {names}",
    "double_one": "{photo} {times}",
    "waiting": "one part of a photo was held in mid-work, and {parents} held a process until it went on",
    "late": "{name}: {done} of {n} bulk photos, sent before it, were in the album first",
    "hidden_row": "{names} in the album, though nobody can read the picture",
    "hidden_state": "the task of {names} reads SUCCESS",
    "tries": "{name} was tried {times}; {most} are allowed",
    "no_end": "{name} has no end: tried {times} by now, and a message for the next try is there",
    "no_letter": "no letter: {names}",
    "strange": "letters of what is in the album, or of nothing that was sent: {names}",
    "alerts": "alerts for {photo}: {n}",
    "replayed": "mended and replayed, and not in the album once: {names}",
}
MORE = " and {n} more"

STEPS = {
    "start": "starting broker, database, API and two workers",
    "smoke": "one photo, stopped in mid-work",
    "flood": "a flood of bulk photos, bad pictures among them, and one urgent photo",
    "before": "{lane}: worker killed just before a commit",
    "behind": "{lane}: worker killed just behind a commit",
    "middle": "{lane}: worker killed in the middle of its work",
    "broker": "broker restarted while tasks run and messages wait",
    "settle": "waiting until all is done",
    "replay": "bad pictures mended, dead letters replayed",
    "missed": "{lane}: no moment for a kill was found",
}
RUNNING = "Fault test of {module} runs"
FINISHED = "done"

NO_TASK = (
    "{module} has no task named {task!r}, so nobody takes what the API sends. "
    "Name it: @app.task(name={task!r})."
)
NOT_RUNNING = "The fault test does not run. Use it in a with block, or call run()."
KEEPS_ENDING = "The worker of {lane} ends again and again."
