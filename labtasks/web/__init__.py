"""The producers: a Flask site, a FastAPI service with its page."""
