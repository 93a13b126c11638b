"""What is sold."""

from django.db import models
from model_utils.models import TimeStampedModel
from simple_history.models import HistoricalRecords
from taggit.managers import TaggableManager


class Book(TimeStampedModel):
    """One title."""

    title = models.CharField(max_length=200)
    tags = TaggableManager(blank=True)
    history = HistoricalRecords()

    def __str__(self) -> str:
        return str(self.title)
