"""The table of verbs, its speed, and what is needed for it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.unit.aws.audit.plans import FOLDER

from crossfade.cli.main import MEANT, SECTIONS, crossfade

VERBS = [verb for verbs in SECTIONS.values() for verb in verbs]
HEAVY = ("aiohttp", "asyncio", "botocore", "docker", "pydantic", "rich", "yaml")
MODULES = 160  # `--help` loads 121 of them and `status` 139, most of them Python's own
CLEAN = FOLDER / "clean" / "plan.json"


def run(*words: str, state: Path, code: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *words] if code else [sys.executable, "-m", "crossfade.cli.main", *words]
    return subprocess.run(
        command,
        env=os.environ | {"CROSSFADE_STATE": str(state)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        cwd=state.parent,
    )


def test_help_names_every_verb() -> None:
    """`crossfade --help` shows all verbs of the design with what they do."""
    shown = CliRunner().invoke(crossfade, ["--help"]).output
    wanted = "init check schema up down deploy rollback status releases events watch logs scale tag promote pause"
    for verb in [*wanted.split(), *["resume", "abort", "lock", "plan", "demo"]]:
        assert f"\n  {verb} " in shown


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    """Each verb has help with an example, and takes --json."""
    result = CliRunner().invoke(crossfade, [verb, "--help"])
    assert result.exit_code == 0
    assert f"crossfade {verb}" in " ".join(result.output.split())
    assert "Examples:" in result.output
    assert "--json" in result.output


def test_a_misspelt_verb_is_answered_with_the_nearest_one(tmp_path: Path) -> None:
    """`crossfade deplyo` asks whether deploy was meant, exit code 2."""
    result = run("deplyo", state=tmp_path / "state")
    assert result.returncode == 2
    assert "Did you mean `deploy`?" in result.stderr


@pytest.mark.parametrize(
    ("word", "verb"),
    [
        ("ps", "status"),
        ("build", "deploy"),
        ("inspect", "status"),
        ("env:set", "secrets"),
        ("help", "crossfade --help"),
        ("version", "crossfade --version"),
        ("destroy", "down"),
        ("stop", "down"),
        ("app:deploy", "deploy"),
        ("Logs", "logs"),
        ("ssh", "exec"),
    ],
)
def test_a_word_of_other_tools_is_answered_with_our_verb(word: str, verb: str) -> None:
    """What somebody types who comes from elsewhere; `destroy` is near to `deploy` and means the opposite."""
    result = CliRunner().invoke(crossfade, [word])
    assert result.exit_code == 2
    assert f"Did you mean `{verb}`?" in result.stderr


def test_words_of_other_tools_lead_to_verbs_and_hide_none() -> None:
    """Each means a verb that there is, and none is one itself."""
    assert set(MEANT.values()) <= set(VERBS)
    assert not set(MEANT) & set(VERBS)


def test_a_wrong_option_is_an_error_in_json_too(tmp_path: Path) -> None:
    """With --json the last line of stdout is the error, whatever was wrong."""
    result = run("status", "--nonsense", "--json", state=tmp_path / "state")
    assert result.returncode == 2
    assert "--nonsense" in json.loads(result.stdout.splitlines()[-1])["error"]["cause"]


def test_the_version_is_the_one_that_is_installed(tmp_path: Path) -> None:
    """`crossfade --version` names the version that is installed."""
    from crossfade import __version__

    assert run("--version", state=tmp_path / "state").stdout == f"crossfade {__version__}\n"


def test_status_loads_nothing_heavy(tmp_path: Path) -> None:
    """What answers at once must not import what takes long to import."""
    code = (
        "import sys; from crossfade.cli.main import main; main(); "
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    result = run("status", state=tmp_path / "state", code=code)
    assert result.stderr.strip() == "[]"


def test_a_deploy_loads_nothing_heavy_before_it_asks() -> None:
    """What reads the file and starts processes is in the controller; a deploy is a look with an order."""
    verb = "crossfade.cli.ship.deploy, crossfade.cli.application, crossfade.cli.secrets, crossfade.cli.file.contents"
    code = f"import sys, {verb}; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_plan_is_audited_without_the_model_of_the_file(tmp_path: Path) -> None:
    """It is a third of the time of an audit in a pipeline, and nothing of a plan asks for it."""
    code = "import sys; from crossfade.cli.main import main; main(); print('pydantic' in sys.modules, file=sys.stderr)"
    result = run("audit", "--plan", str(CLEAN), state=tmp_path / "state", code=code)
    assert result.stderr.strip() == "False"


@pytest.mark.parametrize("words", [["--help"], ["status"]])
def test_a_look_is_answered_at_once(words: list[str], tmp_path: Path) -> None:
    """It loads few modules: what it takes is theirs, and `python -m benchmarks cli` has the milliseconds."""
    end = "atexit.register(lambda: print(len(sys.modules), file=sys.stderr))"
    code = f"import atexit, sys; {end}; from crossfade.cli.main import main; main()"
    result = run(*words, state=tmp_path / "state", code=code)
    assert int(result.stderr) <= MODULES


def test_nothing_runs_here(tmp_path: Path) -> None:
    """Status of a machine without a controller is an answer, not an error."""
    result = run("status", "--json", state=tmp_path / "state")
    assert (result.returncode, json.loads(result.stdout)) == (0, {"services": []})
    assert "nothing runs here" in run("status", state=tmp_path / "state").stdout
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["releases", "--app", "feedback"],
        ["events"],
        ["logs", "--app", "feedback"],
        ["scale", "web=2", "--app", "feedback"],
        ["tag", "stable", "--app", "feedback"],
        ["promote", "--app", "feedback"],
        ["pause", "--app", "feedback"],
        ["resume", "--app", "feedback"],
        ["abort", "--app", "feedback"],
        ["lock", "--app", "feedback"],
        ["rollback", "--app", "feedback"],
        ["down", "feedback"],
    ],
)
def test_verbs_that_need_a_controller_say_how_to_get_one(words: list[str], tmp_path: Path) -> None:
    """Without a controller they say so and how to start it, exit code 4; with --json in JSON too."""
    result = run(*words, "--json", state=tmp_path / "state")
    assert result.returncode == 4
    assert "no controller runs" in result.stderr
    assert "crossfade up" in result.stderr
    assert json.loads(result.stdout.splitlines()[-1])["error"]["exit_code"] == 4


@pytest.mark.parametrize("verb", ["plan", "check", "deploy", "init"])
def test_a_folder_that_is_gone_is_said_to_be(tmp_path: Path, verb: str) -> None:
    """A shell may stand in one that somebody deleted."""
    line = f'mkdir gone && cd gone && rmdir ../gone && exec "{sys.executable}" -m crossfade.cli.main {verb}'
    environment = os.environ | {"CROSSFADE_STATE": str(tmp_path / "state")}
    done = subprocess.run(
        ["sh", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=30
    )
    assert (done.returncode, done.stderr.splitlines()[:1]) == (
        2,
        ["crossfade: the folder that this shell is in is gone"],
    )
