"""Commands that a deploy looks for before it begins."""

from dataclasses import replace
from pathlib import Path

import pytest

from crossfade.cli import programs
from crossfade.cli.application import preflight, read
from crossfade.cli.call import Call
from crossfade.core.errors import WrongInputError
from crossfade.core.job import Job
from crossfade.core.service import Service
from crossfade.core.wire import encode
from crossfade.paths import StateDirectory


@pytest.fixture
def service(tmp_path: Path) -> Service:
    (tmp_path / "run").touch()
    return Service(app="shop", name="web", source=str(tmp_path), command="./run")


def test_a_command_that_is_not_there_is_named(service: Service) -> None:
    """But where a build may yet bring it."""
    programs.require(encode(service))
    with pytest.raises(WrongInputError, match=r"services.web.command: the command of shop/web was not found: ./walk"):
        programs.require(encode(replace(service, command="./walk")))
    programs.require(encode(replace(service, command="./walk", build="make")))


def test_so_is_a_job_s(service: Service) -> None:
    """It would fail at night, when nobody looks."""
    job = Job(name="digest", schedule="0 3 * * *", command="no-such-program --all")
    with pytest.raises(WrongInputError, match=r"the command of the job digest was not found: no-such-program") as told:
        programs.require(encode(replace(service, jobs=(job,))))
    assert "correct it (no-such-program --all)" in told.value.way_out
    programs.require(encode(replace(service, jobs=(replace(job, command="sleep 1"),))))


def test_a_deploy_says_where_it_stands(tmp_path: Path) -> None:
    """File, line and column, as of all that is wrong in a file."""
    file = tmp_path / "crossfade.yaml"
    file.write_text(
        "app: shop\n"
        "services: {web: {source: ., command: sh}}\n"
        "jobs:\n"
        "  tidy:\n"
        "    command: no-such-program --all\n"
        '    schedule: "0 3 * * *"\n'
    )
    call = Call(state=StateDirectory(tmp_path / "state"), json=False, file=file)
    with pytest.raises(WrongInputError) as told:
        preflight(call, read(call))
    assert told.value.cause.startswith(
        f"{file}:5:5: jobs.tidy.command: the command of the job tidy was not found: no-such"
    )
    assert told.value.exit_code == 2


def test_what_an_env_file_asks_the_shell_for_comes_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it lies and whatever it is called; nothing that no file asks for does."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "web.vars").write_text("OF_SHELL\nOTHER=1\n")
    text = "app: shop\nservices: {web: {source: ., command: sh, env_file: [config/web.vars]}}\n"
    (tmp_path / "crossfade.yaml").write_text(text)
    monkeypatch.setenv("OF_SHELL", "here")
    call = Call(state=StateDirectory(tmp_path / "state"), json=False, file=tmp_path / "crossfade.yaml")
    assert read(call)["sources"]["web"]["from_files"] == ["OF_SHELL", "OTHER"]
