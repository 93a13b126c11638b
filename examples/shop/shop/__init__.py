"""A shop of notes: a page, uploads, a worker and a scheduler, in as little Django as there can be."""

from shop.tasks import app as celery_app

__all__ = ["celery_app"]
