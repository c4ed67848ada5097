"""What Beat sends."""

from datetime import UTC, datetime

from celery.utils.log import get_task_logger

from labtasks.app import app

logger = get_task_logger(__name__)


@app.task
def periodic_task() -> str:
    """Say that it runs, and return the moment, ISO 8601 in UTC."""
    logger.info("periodic_task runs")
    return datetime.now(UTC).isoformat(timespec="milliseconds")
