"""The table of notes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """As `makemigrations` writes it."""

    initial = True
    operations = [  # noqa: RUF012 - as Django wants it
        migrations.CreateModel(
            name="Note",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("text", models.TextField()),
                ("words", models.IntegerField(null=True)),
            ],
        )
    ]
