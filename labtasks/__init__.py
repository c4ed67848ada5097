"""What the bundled worker runs: a Celery app and its tasks, as one would write them at work."""
