"""What an app has beside what answers requests, by what it needs: workers, and migrations before a release."""

import re
from collections.abc import Iterator
from pathlib import Path

from crossfade.file.init.guess.found import GuessedService, text
from crossfade.file.init.guess.javascript import installs, package_of
from crossfade.file.init.guess.python import needs
from crossfade.file.init.todo import Rank, Todo

_CELERY = re.compile(r"\bCelery\(")
_GEMS = {"sidekiq": "bundle exec sidekiq", "solid_queue": "bin/jobs", "good_job": "bundle exec good_job start"}
_PACKAGES = {  # of Composer
    "laravel/horizon": "php artisan horizon",
    "symfony/messenger": "php bin/console messenger:consume async",
}
_SCRIPT = re.compile(r"(start[:_-])?(workers?|queue|jobs)([:_-](start|prod))?")  # of package.json
_ALEMBIC = ".venv/bin/alembic upgrade head"
_FLASK = ".venv/bin/flask db upgrade"
_DOCTRINE = "php bin/console doctrine:migrations:migrate --no-interaction --allow-no-migration"


def workers(folder: Path, service: str, found: GuessedService) -> list[Todo]:
    """Workers that the app probably has, which no file here starts: one is not made without knowing."""
    made = f"write a worker beside {service}, if it has one: `kind: worker`, what it is made of as {service} has it"
    in_image = found.what == "Dockerfile"
    commands = (one.removeprefix(".venv/bin/") if in_image else one for one in _commands(folder))
    return [Todo(Rank.MISSING, "services", f"{made}, and `command: {command}`") for command in commands]


def _commands(folder: Path) -> Iterator[str]:
    wanted = needs(folder)
    if re.search(r"\bcelery\b", wanted):
        yield f".venv/bin/celery -A {_celery_app(folder)} worker"
    if re.search(r"\brq\b|\bdjango-rq\b", wanted):
        yield f".venv/bin/{'python manage.py rqworker' if 'django-rq' in wanted else 'rq worker'}"
    gems = text(folder / "Gemfile")
    yield from (
        command for gem, command in _GEMS.items() if re.search(rf"""^\s*gem ["']{gem}["']""", gems, re.MULTILINE)
    )
    composed = text(folder / "composer.json")
    yield from (command for package, command in _PACKAGES.items() if f'"{package}"' in composed)
    scripts = package_of(folder).get("scripts")
    for name in scripts if isinstance(scripts, dict) else ():
        if _SCRIPT.fullmatch(name):
            yield f"{installs(folder)[1]} run {name}"
            return


def _celery_app(folder: Path) -> str:
    """The module that makes it, as Celery is told: of Django its package, which imports it from celery.py."""
    for path in (*sorted(folder.glob("*.py")), *sorted(folder.glob("*/*.py")), *sorted(folder.glob("*/*/*.py"))):
        if path.name in ("celery.py", "celery_app.py", "worker.py", "tasks.py", "app.py") and _CELERY.search(
            text(path)
        ):
            parts = path.relative_to(folder).with_suffix("").parts
            return ".".join(parts[:-1] if parts[-1] == "celery" and len(parts) > 1 else parts)
    return "APP"


def migrations(folder: Path, found: GuessedService) -> list[Todo]:
    """A migration that the file of a tool speaks of, where nothing else did."""
    if any(key == "hooks" for key, _, _ in found.lines) or any(todo.where == "hooks.migrate" for todo in found.todos):
        return []
    command = ""
    if found.what == "Python" and (folder / "alembic.ini").is_file():
        command = _ALEMBIC
    elif found.what == "Python" and "flask-migrate" in needs(folder):
        command = _FLASK
    elif found.what == "PHP" and '"doctrine/doctrine-migrations-bundle"' in text(folder / "composer.json"):
        command = _DOCTRINE
    what = f"write hooks: {{migrate: {command}}} when the app has a database"
    return [Todo(Rank.ASSUMED, "hooks.migrate", what)] if command else []
