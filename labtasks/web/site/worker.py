"""What the site's worker runs: ``celery -A labtasks.web.site.worker worker``."""

from labtasks.web.site import create_app

app = create_app(worker=True).extensions["celery"]
