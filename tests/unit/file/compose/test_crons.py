"""What runs by the clock in a Compose project becomes jobs."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.file.compose.composed import Composed, services

from crossfade.file.init.compose.crons import schedule_of

WEB: dict[str, Any] = {"image": "acme/web:1", "ports": ["3000:3000"]}
OFELIA = {"image": "mcuadros/ofelia:0.3", "volumes": ["/var/run/docker.sock:/var/run/docker.sock:ro"]}
CRONTAB = "# tidy\n0 3 * * * python manage.py clearsessions\n@hourly ./digest --all\n"


@pytest.mark.parametrize(
    ("written", "ours"),
    [
        ("@daily", "0 0 * * *"),
        ("@every 5m", "*/5 * * * *"),
        ("@every 1h", "0 * * * *"),
        ("@every 6h0m0s", "0 */6 * * *"),
        ("0 30 3 * * *", "30 3 * * *"),
        ("30 3 ? * MON", "30 3 * * MON"),
        ("@every 7m", ""),
        ("@every 90s", ""),
        ("15 30 3 * * *", ""),
        ("61 3 * * *", ""),
    ],
)
def test_a_schedule_is_written_in_five_words_or_not_at_all(written: str, ours: str) -> None:
    """What would come at other times is not taken for the same."""
    assert schedule_of(written) == ours


def test_labels_of_ofelia_are_jobs_of_the_service_that_has_them(tmp_path: Path) -> None:
    """And ofelia itself, which would need Docker's socket, is not there any more."""
    labels = {
        "ofelia.enabled": "true",
        "ofelia.job-exec.tidy.schedule": "@daily",
        "ofelia.job-exec.tidy.command": "python manage.py clearsessions",
        "ofelia.job-exec.beat.schedule": "@every 10s",
        "ofelia.job-exec.beat.command": "./beat",
    }
    carried = Composed(tmp_path, services(web={**WEB, "labels": labels}, cron=OFELIA))
    assert set(carried.app.services) == {"web"}
    (job,) = carried.app.jobs.values()
    assert (job.service, job.command, job.schedule) == ("web", "python manage.py clearsessions", "0 0 * * *")
    assert "write the job beat (@every 10s: ./beat)" in carried.todo("services.web")
    assert carried.why("cron").startswith("see `jobs`: the controller runs what it ran by the clock")


def test_a_crontab_is_jobs_of_the_service_with_the_same_image(tmp_path: Path) -> None:
    """One whose image nobody else runs stays as it is."""
    cron = {"image": "acme/web:1", "command": "crond -f", "volumes": ["./crontab:/etc/crontabs/root"]}
    carried = Composed(tmp_path, services(web=WEB, cron=cron), {"crontab": CRONTAB})
    assert set(carried.app.services) == {"web"}
    assert {name: (job.command, job.schedule) for name, job in carried.app.jobs.items()} == {
        "cron-1": ("python manage.py clearsessions", "0 3 * * *"),
        "cron-2": ("./digest --all", "0 * * * *"),
    }
    (tmp_path / "other").mkdir()
    alone = Composed(tmp_path / "other", services(web=WEB, cron={**cron, "image": "acme/x:1"}), {"crontab": CRONTAB})
    assert alone.app.jobs == {}
    assert alone.service("cron").deploy.strategy == "recreate"


def test_a_secret_of_a_job_is_the_shells_that_runs_it(tmp_path: Path) -> None:
    """The service that has the label is given it, and the file has its name alone."""
    labels = {
        "ofelia.job-exec.dump.schedule": "@daily",
        "ofelia.job-exec.dump.command": "dump -p${DB_PASSWORD} 'of ${DB_PASSWORD}'",
    }
    carried = Composed(tmp_path, services(web={**WEB, "labels": labels}, cron=OFELIA), {".env": "DB_PASSWORD=geheim\n"})
    assert "geheim" not in carried.text + str(carried.left) + str(carried.draft.todos)
    assert carried.app.jobs["dump"].command == "dump -p\"$DB_PASSWORD\" 'of '\"$DB_PASSWORD\"''"
    assert "DB_PASSWORD" in carried.service().secrets


def test_what_ran_in_a_store_by_the_clock_is_something_to_do(tmp_path: Path) -> None:
    """A dump of the database, mostly."""
    labels = {"ofelia.job-exec.dump.schedule": "@daily", "ofelia.job-exec.dump.command": "pg_dump shop"}
    db = {"image": "postgres:16", "volumes": ["data:/var/lib/postgresql/data"], "labels": labels}
    text = json.dumps({"services": {"web": WEB, "db": db, "cron": OFELIA}, "volumes": {"data": None}})
    said = Composed(tmp_path, text).todo("stores.db.backup")
    assert said == "write what ran in it by the clock, dump (@daily: pg_dump shop): `backup` has a `schedule`"


def test_two_crontabs_are_the_jobs_of_both(tmp_path: Path) -> None:
    """Though the first line of each would be called the same."""
    app = {"image": "acme/app:1", "ports": ["80:80"]}
    crond = {"image": "acme/app:1", "command": "crond -f"}
    text = services(
        app=app,
        a={**crond, "volumes": ["./crontab-a:/etc/crontabs/root:ro"]},
        b={**crond, "volumes": ["./crontab-b:/etc/crontabs/root:ro"]},
    )
    files = {"crontab-a": "1 * * * * bin/a\n", "crontab-b": "2 * * * * bin/b\n"}
    jobs = Composed(tmp_path, text, files).app.jobs
    assert sorted(job.command for job in jobs.values()) == ["bin/a", "bin/b"]


def test_a_job_in_a_container_of_its_own_is_a_thing_to_do(tmp_path: Path) -> None:
    """Ofelia's job-run has an image, which no release is."""
    labels = {"ofelia.job-run.prune.schedule": "@daily", "ofelia.job-run.prune.image": "acme/prune"}
    carried = Composed(tmp_path, services(app={"image": "acme/app:1", "ports": ["80:80"], "labels": labels}))
    assert "write the job prune, which ofelia ran in a container of its own" in carried.todo("services.app")
