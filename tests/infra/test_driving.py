"""The user's own terraform, driven: resources that need neither a provider nor AWS, everything else is real."""

import json
import shutil
import signal
import stat
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.infra.project import Project, needs_terraform

pytestmark = needs_terraform

MAIN = """
terraform {
  required_version = ">= 1.5"
}

variable "size" {
  default = 1
}

resource "terraform_data" "small" {
  input = var.size
}

resource "terraform_data" "other" {
  triggers_replace = var.size
}

output "size" {
  value = terraform_data.small.output
}

output "addresses" {
  value = ["http://a", "http://b"]
}

output "password" {
  value     = "correct horse"
  sensitive = true
}
"""
SLOW = """
resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "touch started; sleep 3; touch finished"
  }
}

resource "terraform_data" "never" {
  depends_on = [terraform_data.slow]
}
"""

HELD = "for i in $(seq 600); do [ -e enough ] && break; sleep 0.1; done"  # until then, or a minute

# Does everything as terraform does, but takes its time to end an apply.
STUBBORN = """#!{python}
import os, pathlib, signal, sys, time
if sys.argv[1] != "apply":
    os.execv("{real}", sys.argv)
interrupts = 0
def interrupted(*_):
    global interrupts
    interrupts += 1
    pathlib.Path(f"interrupted-{{interrupts}}").touch()
signal.signal(signal.SIGINT, interrupted)
pathlib.Path("started").touch()
until = time.monotonic() + 60
while not pathlib.Path("end").exists() and time.monotonic() < until:
    time.sleep(0.02)
sys.exit(1)
"""


BOTH = ("dev", "prod")
OUTPUTS = {"addresses": ["http://a", "http://b"], "size": 1, "password": "(secret)"}


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `infra init` writes for both environments, emptied: made once, and copied by each test."""
    made = Project(tmp_path_factory.mktemp("written"), environments=BOTH)
    for environment in BOTH:
        made.write(environment, MAIN)
    made.close()
    return made.home


@pytest.fixture
def project(written: Path, tmp_path: Path) -> Iterator[Project]:
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    made = Project(tmp_path, environments=BOTH)
    yield made
    made.close()


def test_from_nothing_to_nothing(project: Project) -> None:
    """Plan changes nothing; apply does, once; destroy ends it."""
    planned = project.ok("plan", "-e", "dev")
    assert (planned["add"], planned["change"], planned["destroy"]) == (2, 0, 0)
    assert {one["address"] for one in planned["resources"]} == {"terraform_data.small", "terraform_data.other"}
    assert not project.state("dev").exists()

    applied = project.ok("apply", "-e", "dev", "--yes")
    assert applied["add"] == 2
    assert applied["outputs"] == OUTPUTS
    again = project.ok("apply", "-e", "dev", "--yes")
    assert (again["add"], again["change"], again["destroy"]) == (0, 0, 0)

    ended = project.ok("destroy", "-e", "dev", "--confirm", "dev")
    assert ended["destroy"] == 2
    assert json.loads(project.state("dev").read_text())["resources"] == []


@pytest.mark.long
def test_a_changed_file_is_a_readable_plan(project: Project) -> None:
    """What changes in place, what is replaced, and why."""
    project.ok("apply", "-e", "dev", "--yes")
    project.write("dev", MAIN.replace("default = 1", "default = 2"))
    ran = project.run("plan", "-e", "dev")
    assert "dev: 1 to add, 1 to change, 1 to destroy" in ran.out
    assert "± terraform_data.other: triggers_replace 1 -> 2" in ran.out
    assert "~ terraform_data.small: input 1 -> 2" in ran.out


def test_nothing_happens_unconfirmed(project: Project) -> None:
    """Where nobody can be asked it is refused, and says with which option it goes on."""
    ran = project.run("apply", "-e", "dev")
    assert (ran.code, "confirm it with --yes" in ran.err) == (3, True)
    ran = project.run("apply", "-e", "prod", "--yes")
    assert (ran.code, "confirm it with --confirm prod" in ran.err) == (3, True)
    ran = project.run("apply", "-e", "prod", "--confirm", "dev")
    assert (ran.code, "names a different environment from prod" in ran.err) == (2, True)
    ran = project.run("destroy", "-e", "dev", "--confirm", "dev")
    assert "nothing to change" in ran.out
    assert not project.state("dev").exists()
    assert not project.state("prod").exists()


@pytest.mark.parametrize(
    ("typed", "code"),
    [pytest.param("prod", 0, marks=pytest.mark.long), ("yes", 3), pytest.param("", 3, marks=pytest.mark.long)],
)
def test_production_is_typed(project: Project, typed: str, code: int) -> None:
    """On a terminal its name is asked for; a yes is not its name."""
    shown, ended = project.type(f"{typed}\n", "apply", "-e", "prod")
    assert "This changes prod. Type its name to go on" in shown
    assert ended == code
    assert project.state("prod").exists() is (code == 0)


@pytest.mark.long
def test_a_saved_plan_is_applied_exactly(project: Project, tmp_path: Path) -> None:
    """Even when the files are others meanwhile; and once, because then something changed. It is read once, too."""
    saved, read = tmp_path / "saved", tmp_path / "plan.json"
    program, asked = tmp_path / "terraform", tmp_path / "asked"
    program.write_text(f'#!/bin/sh\necho "$1" >> {asked}\nexec {shutil.which("terraform")} "$@"\n')
    program.chmod(0o755)
    project.ok("plan", "-e", "dev", "--save", str(saved), "--out", str(read), "--terraform", str(program))
    assert asked.read_text().split().count("show") == 1
    assert {one["address"] for one in json.loads(read.read_text())["resource_changes"]} == {
        "terraform_data.small",
        "terraform_data.other",
    }
    assert {stat.S_IMODE(file.stat().st_mode) for file in (saved, read)} == {0o600}
    project.write("dev", MAIN.replace("default = 1", "default = 2"))
    assert project.ok("apply", "-e", "dev", "--yes", "--plan", str(saved))["outputs"]["size"] == 1
    ran = project.run("apply", "-e", "dev", "--yes", "--plan", str(saved))
    assert ran.code == 4
    assert "make it again" in ran.err


@pytest.mark.long
def test_outputs_show_no_secret_and_one_is_bare_for_scripts(project: Project) -> None:
    """All of them without secrets; the one that is named as it is, for scripts."""
    project.ok("apply", "-e", "dev", "--yes")
    assert project.ok("output", "-e", "dev")["outputs"] == OUTPUTS
    assert project.run("output", "password", "-e", "dev").out.splitlines()[-1] == "correct horse"
    assert project.run("output", "addresses", "-e", "dev").out.splitlines()[-2:] == ["http://a", "http://b"]
    ran = project.run("output", "sizes", "-e", "dev")
    assert (ran.code, "it has" in ran.err) == (2, True)


def test_a_mistake_in_the_files_is_one_message(project: Project) -> None:
    """With file and line as seen from here, and without a traceback."""
    project.write("dev", MAIN.replace("var.size", "var.sise"))
    ran = project.run("plan", "-e", "dev")
    assert ran.code == 4
    assert "infrastructure/environments/dev/main.tf:11" in ran.err
    assert 'An input variable with the name "sise" has not been declared' in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.long
def test_protected_things_stay(project: Project) -> None:
    """prevent_destroy: nothing at all is destroyed, and the message says what protects it."""
    project.write(
        "dev", MAIN.replace("input = var.size", "input = var.size\n  lifecycle {\n prevent_destroy = true\n}")
    )
    project.ok("apply", "-e", "dev", "--yes")
    ran = project.run("destroy", "-e", "dev", "--confirm", "dev")
    assert ran.code == 4
    assert "terraform_data.small" in ran.err
    assert "whoever means it takes that line out" in ran.err
    assert len(json.loads(project.state("dev").read_text())["resources"]) == 2


@pytest.mark.long
def test_a_second_run_is_refused(project: Project) -> None:
    """Who holds the lock, for what, its id and the way out; and it can wait instead."""
    project.write("dev", MAIN + SLOW.replace("sleep 3", HELD))
    first = project.start("apply", "-e", "dev", "--yes")
    project.until("dev", "started")
    ran = project.run("plan", "-e", "dev")
    threading.Timer(2, (project.folder("dev") / "enough").touch).start()
    assert ran.code == 3
    assert "the state of dev has been locked by" in ran.err
    assert "for apply (lock " in ran.err
    assert "force-unlock" in ran.err
    waited = project.ok("plan", "-e", "dev", "--wait", "30s")
    assert waited["add"] == 0
    assert first.wait(20) == 0


@pytest.mark.long
def test_ctrl_c_saves_the_state(project: Project) -> None:
    """Once: what is under way ends in order, what had not begun is not begun, and apply goes on from there."""
    project.write("dev", MAIN + SLOW)
    process = project.start("apply", "-e", "dev", "--yes")
    project.until("dev", "started")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "stopping: terraform ends what is under way, in order, and saves its state" in out
    assert "stopped after 2 of 4; terraform has saved its state" in err
    assert set(project.kept("dev")) == {"terraform_data.small", "terraform_data.other", "terraform_data.slow"}
    (project.folder("dev") / "started").unlink()
    again = project.ok("apply", "-e", "dev", "--yes")
    assert (again["add"], again["destroy"]) == (2, 1)  # what was cut short is made again


@pytest.mark.long
@pytest.mark.parametrize("times", [1, 2, 3])
def test_each_ctrl_c_means_something_else(project: Project, tmp_path: Path, times: int) -> None:
    """The first is passed on, the second only warns of what a third would lose, and the third is passed on as well."""
    program = tmp_path / "terraform"
    program.write_text(STUBBORN.format(python=sys.executable, real=shutil.which("terraform")))
    program.chmod(0o755)
    process = project.start("apply", "-e", "dev", "--yes", "--terraform", str(program))
    project.until("dev", "started")
    for time_ in range(times):
        process.send_signal(signal.SIGINT)
        project.until("dev", f"interrupted-{1 if time_ < 2 else 2}")
        time.sleep(0.3)
    (project.folder("dev") / "end").touch()
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert ("A third Ctrl-C ends terraform at once" in out) is (times > 1)
    assert len(list(project.folder("dev").glob("interrupted-*"))) == (2 if times == 3 else 1)


@pytest.mark.long
def test_death_in_the_middle_of_an_apply(project: Project, tmp_path: Path) -> None:
    """Crossfade is killed, Terraform is not: it finishes and saves its state. The plan, with its secrets, is gone."""
    project.write("dev", MAIN + SLOW)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = project.start("apply", "-e", "dev", "--yes", env={"TMPDIR": str(temporary)})
    project.until("dev", "started")
    process.kill()
    process.wait()
    deadline = time.monotonic() + 20
    while "terraform_data.never" not in project.kept("dev") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert project.ok("plan", "-e", "dev", "--wait", "20s")["add"] == 0
    assert not [path for path in temporary.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("script", "code", "message"),
    [
        ('echo \'{"terraform_version": "1.4.6"}\'', 2, "is version 1.4.6; crossfade needs 1.5 or newer"),
        ("echo tea", 4, "does not say which version it is"),
    ],
)
def test_a_program_that_will_not_do(project: Project, tmp_path: Path, script: str, code: int, message: str) -> None:
    """Found out before anything is started."""
    program = tmp_path / "old"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    ran = project.run("plan", "-e", "dev", "--terraform", str(program))
    assert ran.code == code
    assert message in ran.err


def test_a_folder_that_is_behind_the_file(project: Project) -> None:
    """Plan and apply are about what the file says now; an edit of one's own is no reason to refuse."""
    project.file.write_text(project.file.read_text().replace("3000", "4000"))
    for verb in ("plan", "apply"):
        ran = project.run(verb, "-e", "dev")
        assert ran.code == 3
        assert "infrastructure is not what crossfade.yaml says: environments/dev/main.tf" in ran.err
        assert "`crossfade infra init -e dev`" in ran.err


@pytest.mark.long
def test_another_tag_of_an_image_is_a_deploys_to_bring(project: Project) -> None:
    """Services begin with the tag of then; another service, which has none there, is no other tag."""
    project.ok("init", "-e", "dev", "--force")
    values = project.folder("dev") / "terraform.tfvars"
    written = values.read_text()
    project.write("dev", MAIN)
    values.write_text(written)
    project.file.write_text(project.file.read_text().replace("acme/web", "acme/web:v2"))
    assert project.ok("plan", "-e", "dev")["add"] == 2
    project.file.write_text(project.file.read_text().replace('"web"', '"site"'))
    assert project.run("plan", "-e", "dev").code == 3
    project.ok("init", "-e", "dev", "--keep")
    assert project.ok("plan", "-e", "dev")["add"] == 2


def test_of_several_environments_none_is_guessed(project: Project) -> None:
    """With several on AWS none is guessed, and one that is not written yet is not planned."""
    ran = project.run("plan")
    assert (ran.code, "dev, prod" in ran.err, "say which with -e" in ran.err) == (2, True, True)
    ran = project.run("plan", "-e", "dev", "--in", "elsewhere")
    assert (ran.code, "`crossfade infra init` writes it" in ran.err) == (2, True)


def test_no_terraform_at_all(project: Project) -> None:
    """How to get one, in one message."""
    ran = project.run("plan", "-e", "dev", env={"PATH": "/nowhere"})
    assert ran.code == 2
    assert "neither terraform nor tofu is installed" in ran.err
    assert "opentofu.org" in ran.err
