"""What Beat sends, and when."""

from typing import Any

from celery.schedules import crontab

MINUTE, HOUR, DAY = 60, 3600, 24 * 3600  # s

Entries = dict[str, dict[str, Any]]


def entries(periodic_seconds: float, records_lease: float | None = None) -> Entries:
    """Return the app's ``beat_schedule``.

    Every message expires when the next of its kind is due, or a day later at the latest: what a
    worker that was away finds is one run of each task, not all the runs that it missed.

    Parameters
    ----------
    periodic_seconds
        Between two runs of ``periodic_task``.
    records_lease
        Of the watchdog over records; without one there are no records.
    """
    watching: Entries = {}
    if records_lease is not None:
        watching = {
            "picker-import-watchdog": {
                "task": "picker_import.watchdog",
                "schedule": records_lease / 2,
                "options": {"expires": records_lease / 2},
            },
            "stale-sessions": {
                "task": "session_recovery.cleanup_stale_sessions",
                "schedule": 10 * MINUTE,
                "options": {"expires": 10 * MINUTE},
            },
        }
    return {
        **watching,
        "every-minute": {
            "task": "labtasks.periodic.periodic_task",
            "schedule": periodic_seconds,
            "options": {"expires": periodic_seconds},
        },
        "hourly": {
            "task": "labtasks.periodic.hourly_task",
            "schedule": crontab(minute=0),
            "options": {"expires": HOUR},
        },
        "daily-morning": {
            "task": "labtasks.periodic.daily_report",
            "schedule": crontab(hour=9, minute=0),
            "options": {"expires": DAY},
        },
        "weekday-morning": {
            "task": "labtasks.periodic.weekday_task",
            "schedule": crontab(hour=9, minute=0, day_of_week="mon-fri"),
            "options": {"expires": DAY},
        },
        "monthly": {
            "task": "labtasks.periodic.monthly_cleanup",
            "schedule": crontab(hour=0, minute=0, day_of_month=1),
            "options": {"expires": DAY},
        },
        "with-args": {
            "task": "labtasks.periodic.parameterized_task",
            "schedule": 30.0,
            "args": ("arg1", "arg2"),
            "kwargs": {"key": "value"},
            "options": {"expires": 30.0},
        },
        "daily-summary": {
            "task": "labtasks.periodic.generate_daily_report",
            "schedule": crontab(hour=2, minute=0),
            "options": {"expires": DAY},
        },
        "refresh-cache": {
            "task": "labtasks.periodic.refresh_popular_articles",
            "schedule": 30 * MINUTE,
            "options": {"expires": 30 * MINUTE},
        },
    }
