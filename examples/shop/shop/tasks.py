"""What the worker does: counts the words of a note; and what the scheduler asks of it."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = {"tick": {"task": "shop.tasks.tick", "schedule": 2.0}}
app.conf.worker_concurrency = 1


@app.task
def count(number: int) -> None:
    """Write down how many words a note has."""
    from shop.notes.models import Note  # noqa: PLC0415 - models need the settings first

    note = Note.objects.get(pk=number)
    note.words = len(note.text.split())
    note.save()


@app.task
def tick() -> None:
    """Leave a note that the scheduler was here."""
    from shop.notes.models import Note  # noqa: PLC0415 - models need the settings first

    Note.objects.get_or_create(text="tick")
