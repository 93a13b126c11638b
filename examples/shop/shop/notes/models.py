"""What the shop keeps."""

from django.db import models


class Note(models.Model):
    """A text; `words` is None until a worker counted them."""

    text = models.TextField()
    words = models.IntegerField(null=True)

    def __str__(self) -> str:
        return self.text
