"""Settings from the environment. Stores are on this machine's loopback, at the ports that the file opens."""

import os
from pathlib import Path

SECRET_KEY = os.environ["SECRET_KEY"]
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["shop.notes"]
MIDDLEWARE: list[str] = []
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "127.0.0.1",
        "PORT": os.environ.get("DB_PORT", "5432"),
        "NAME": "postgres",
        "USER": "postgres",
        "PASSWORD": os.environ["POSTGRES_PASSWORD"],
    }
}
CELERY_BROKER_URL = f"redis://127.0.0.1:{os.environ.get('QUEUE_PORT', '6379')}/0"
MEDIA_ROOT = Path(__file__).resolve().parent.parent / "media"
