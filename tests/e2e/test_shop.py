"""The README's own app: Django with a worker, a scheduler, PostgreSQL, Redis and uploads, as it is written there."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.contract.runtime_kits import docker_is_missing
from tests.docs.shell import Shell
from tests.support import debian_images
from tests.support.ports import free_port

SHOP = Path(__file__).parents[2] / "examples" / "shop"
POSTGRES = Path("/usr/lib/postgresql/15")
REDIS = Path("/usr/bin/redis-server")
PATIENCE = 240.0  # seconds for what a busy machine does late

# What the image of the same name on a hub does at its first start, and then.
BEGINS = """#!/bin/sh
cd /tmp
if [ ! -s /var/lib/postgresql/data/PG_VERSION ]; then
  echo "$POSTGRES_PASSWORD" > /tmp/pw
  initdb -D /var/lib/postgresql/data -U postgres --pwfile=/tmp/pw --auth-host=scram-sha-256 --auth-local=trust
  echo "host all all all scram-sha-256" >> /var/lib/postgresql/data/pg_hba.conf
fi
exec postgres -D /var/lib/postgresql/data -k /tmp -c listen_addresses='*'
"""


@dataclass(frozen=True)
class Stand:
    """An image of a store, and the port that it listens on: somebody may have the usual one on this machine."""

    image: str
    port: int


@pytest.fixture
def stands() -> Iterator[tuple[Stand, Stand]]:
    """PostgreSQL and Redis in images made of Debian's packages, which stand for those of the hub."""
    if why := docker_is_missing():
        pytest.skip(why)
    if not (POSTGRES / "bin/postgres").exists() or not REDIS.exists():
        pytest.skip("no PostgreSQL 15 and Redis to make images of (Debian: postgresql-15, redis-server)")
    import docker

    mark = uuid.uuid4().hex[:8]
    db, queue = (Stand(f"crossfade-test-{mark}/{name}", free_port()) for name in ("postgres", "redis"))
    debian_images.make(
        db.image,
        "16",
        debian_images.Contents(
            trees=(POSTGRES, Path("/usr/share/postgresql/15"), Path("/usr/share/zoneinfo")),
            texts={"begin": BEGINS},
            folders=("tmp", "var/lib/postgresql/data"),
        ),
        ["USER 999:999", f"ENV PATH={POSTGRES}/bin:/bin PGHOST=/tmp PGPORT={db.port} TZ=UTC", 'ENTRYPOINT ["/begin"]'],
    )
    debian_images.make(
        queue.image,
        "7",
        debian_images.Contents(trees=(REDIS,), folders=("tmp", "data")),
        [f'ENTRYPOINT ["{REDIS}", "--dir", "/data", "--protected-mode", "no", "--port", "{queue.port}"]'],
    )
    yield db, queue
    client = docker.from_env()
    for stand in (db, queue):
        for image in client.images.list(stand.image):
            client.images.remove(image.id, force=True)
    client.close()


@pytest.fixture
def index() -> None:
    """Skip where Django cannot be had from a package index."""
    looked = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", "/tmp/crossfade-test-pip"]
    done = subprocess.run([*looked, "celery>=5.4"], capture_output=True, text=True, timeout=120, check=False)
    shutil.rmtree("/tmp/crossfade-test-pip", ignore_errors=True)
    if done.returncode:
        pytest.skip(f"no package index with Django: {done.stderr.strip()[-200:]}")


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("index")
def test_the_readme_s_own_app_works_as_it_is_written(stands: tuple[Stand, Stand]) -> None:
    """Deployed from its folder with two variables; only the ports are others, for somebody may have those here."""
    port, (db, queue) = free_port(), stands
    variables = {
        "SECRET_KEY": "s",
        "POSTGRES_PASSWORD": "geheim",
        "DB_PORT": str(db.port),
        "QUEUE_PORT": str(queue.port),
    }
    shell = Shell(port, folder="shop", env={**_pip(), **variables}, limit=600)
    app = f"shop{uuid.uuid4().hex[:6]}"
    try:
        shutil.copytree(SHOP, shell.folder, dirs_exist_ok=True)
        text = (SHOP / "crossfade.yaml").read_text()
        shell.write("crossfade.yaml", _here(text, app, db, queue))
        shell.run("crossfade check")
        shell.run("crossfade deploy --json")
        assert _ask(port, "notes", "one two three") is not None
        _until(lambda: _ask(port, "notes").get("one two three") == 3)
        _until(lambda: "tick" in _ask(port, "notes"))
        _put(port, "media/logo", b"pixels")
        (shell.folder / "shop" / "changed.py").write_text("")
        shell.run("crossfade deploy --json")
        assert _get(port, "media/logo") == b"pixels"
        assert _ask(port, "notes")["one two three"] == 3
        shell.run("crossfade backup db")
        status = json.loads(shell.run("crossfade status --json").splitlines()[-1])
        assert {(one["name"], one["release"], one["kind"]) for one in status["services"]} == {
            ("web", 2, "web"),
            ("worker", 2, "worker"),
            ("clock", 2, "worker"),
        }
        assert {one["name"]: one["state"] for one in status["stores"]} == {"db": "running", "queue": "running"}
    finally:
        shell.run(f"crossfade down {app} --with-data --confirm {app} --force || true")
        shell.close()


def test_the_readme_shows_it() -> None:
    """Word for word, in under thirty-five lines."""
    text = (SHOP / "crossfade.yaml").read_text()
    assert f"```yaml\n{text}```" in (SHOP.parents[1] / "README.md").read_text()
    assert len(text.splitlines()) < 35


def _here(text: str, app: str, db: Stand, queue: Stand) -> str:
    for there, here in {
        "app: shop": f"app: {app}",
        "image: postgres:16": f"image: {db.image}:16",
        '"redis:7"': f'"{queue.image}:7"',
        "port: 5432": f"port: {db.port}",
        "port: 6379": f"port: {queue.port}",
        "POSTGRES_PASSWORD] ": "POSTGRES_PASSWORD, DB_PORT, QUEUE_PORT] ",
        "SECRET_KEY, POSTGRES_PASSWORD]\n": "SECRET_KEY, POSTGRES_PASSWORD, DB_PORT, QUEUE_PORT]\n",
        "/tmp/shop-beat": f"/tmp/{app}-beat",
    }.items():
        assert there in text
        text = text.replace(there, here)
    return text


def _pip() -> dict[str, str]:
    """Where this machine has its package index, for a home of one's own does not know."""
    told = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    pairs = dict(line.split("=", 1) for line in told.splitlines() if line.startswith(("global.", "user.")))
    known = {name.split(".", 1)[1]: value.strip("'\"") for name, value in pairs.items()}
    return {f"PIP_{name.upper().replace('-', '_')}": value for name, value in known.items()} | {
        name: value for name, value in os.environ.items() if name.startswith("PIP_")
    }


def _until(true: object) -> None:
    end = time.monotonic() + PATIENCE
    while not true():  # type: ignore[operator]  # a lambda
        assert time.monotonic() < end
        time.sleep(0.2)


def _ask(port: int, path: str, text: str | None = None) -> dict[str, int | None]:
    found: dict[str, int | None] = json.loads(_get(port, path, text.encode() if text else None))
    return found


def _get(port: int, path: str, body: bytes | None = None) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", body, timeout=60) as answer:
        return bytes(answer.read())


def _put(port: int, path: str, body: bytes) -> None:
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/{path}", body, method="PUT")
    with urllib.request.urlopen(asked, timeout=60):
        pass
