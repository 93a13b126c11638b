"""The first file: it loads as it is, and says what was guessed from what."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from crossfade.file.init.starter import app_name, starter
from crossfade.file.load import load
from crossfade.file.model import Service

VENV = "python3 -m venv .venv && .venv/bin/python -m pip install"

FOLDERS: dict[str, tuple[Mapping[str, str], Mapping[str, object]]] = {
    # what stands there, and what is guessed
    "nothing": ({}, {"command": "python3 -m http.server $PORT", "build": None}),
    "Procfile": (
        {"Procfile": "release: ./migrate\nweb: gunicorn shop:app --bind :$PORT # yes: really\n"},
        {"command": "gunicorn shop:app --bind :$PORT # yes: really"},
    ),
    "Procfile without web": ({"Procfile": "worker: x\n"}, {"command": "python3 -m http.server $PORT"}),
    "package.json": (
        {"package.json": '{"scripts": {"start": "node ."}}', "package-lock.json": "{}"},
        {"command": "npm start", "build": "npm ci"},
    ),
    "package.json without lock": ({"package.json": '{"scripts": {"start": "node ."}}'}, {"build": "npm install"}),
    "package.json that is none": ({"package.json": "[1]"}, {"command": "python3 -m http.server $PORT"}),
    "broken package.json": ({"package.json": "{"}, {"command": "python3 -m http.server $PORT"}),
    "Django": ({"manage.py": ""}, {"command": "python3 manage.py runserver 127.0.0.1:$PORT --noreload"}),
    "Django with gunicorn": (
        {"manage.py": "", "site/wsgi.py": "", "requirements.txt": "django\ngunicorn\n"},
        {"command": ".venv/bin/gunicorn site.wsgi --bind 127.0.0.1:$PORT", "build": f"{VENV} -r requirements.txt"},
    ),
    "Django with daphne": (
        {"manage.py": "", "site/wsgi.py": "", "site/asgi.py": "", "requirements.txt": "daphne\n"},
        {"command": ".venv/bin/daphne -b 127.0.0.1 -p $PORT site.asgi:application"},
    ),
    "FastAPI": (
        {"main.py": "", "requirements.txt": "fastapi\nuvicorn\n"},
        {"command": ".venv/bin/uvicorn main:app --port $PORT", "build": f"{VENV} -r requirements.txt"},
    ),
    "Flask": (
        {"app.py": "", "pyproject.toml": '[project]\ndependencies = ["Flask"]\n'},
        {"command": ".venv/bin/flask --app app run --port $PORT", "build": f"{VENV} ."},
    ),
    "Flask with gunicorn": (
        {"app.py": "", "requirements.txt": "flask\ngunicorn\n"},
        {"command": ".venv/bin/gunicorn app:app --bind 127.0.0.1:$PORT"},
    ),
    "Dockerfile": (
        {"Dockerfile": "FROM node\nEXPOSE 3000/tcp\n"},
        {"image": "my-shop-2:latest", "port": 3000, "source": None},
    ),
    "Dockerfile without port": ({"Dockerfile": "FROM node\n"}, {"port": 8080}),
    "Dockerfile with a port that is none": ({"Dockerfile": "FROM node\nEXPOSE 99999\n"}, {"port": 8080}),
}


@pytest.mark.parametrize(("files", "guessed"), FOLDERS.values(), ids=list(FOLDERS))
def test_a_starter_loads_and_fits_its_folder(
    tmp_path: Path, files: Mapping[str, str], guessed: Mapping[str, object]
) -> None:
    """Ten lines at most, with the command of what stands there."""
    folder = tmp_path / "My Shop 2"
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    folder.mkdir(exist_ok=True)
    text = starter(folder)
    (folder / "crossfade.yaml").write_text(text)
    app = load(folder / "crossfade.yaml")
    assert app.name == "my-shop-2"
    assert {key: getattr(app.services["web"], key) for key in guessed} == guessed
    assert len(text.splitlines()) <= 10
    assert app.services["web"].replicas == 2
    assert isinstance(app.services["web"], Service)


def test_every_line_that_was_guessed_says_from_what(tmp_path: Path) -> None:
    """A newcomer knows what to check."""
    (tmp_path / "Procfile").write_text("web: ./run\n")
    assert "# from Procfile" in starter(tmp_path)


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("shop", "shop"),
        ("My Shop 2", "my-shop-2"),
        ("2nd", "nd"),
        ("___", "app"),
        ("a" * 50, "a" * 31),
        ("über", "ber"),
    ],
)
def test_the_folders_name_becomes_an_apps_name(folder: str, name: str) -> None:
    """Small letters, digits and hyphens, a letter first."""
    assert app_name(Path("/srv") / folder) == name
