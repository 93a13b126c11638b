"""How check and deploy say what of a folder is not in a release."""

import json
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.nobody import as_nobody

from crossfade.cli.file.check import check
from crossfade.cli.file.contents import accounts, lines

FILE = """
app: shop
services:
  web: {source: src, command: exec ./web}
  worker: {source: src, command: exec ./worker, routes: [{path: /w}]}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "src" / "node_modules" / "a").mkdir(parents=True)
    (tmp_path / "src" / "node_modules" / "a" / "x").touch()
    (tmp_path / "src" / ".venv").mkdir()
    (tmp_path / "src" / ".env").write_text("PASSWORD=x")
    (tmp_path / "src" / "shared").symlink_to("../shared")
    (tmp_path / "crossfade.yaml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_check_says_it_in_two_lines(folder: Path) -> None:
    """One for what is missing, one for what should not be there; services of one folder share them."""
    said = CliRunner().invoke(check, []).output.splitlines()
    assert said[1:3] == [
        (
            "not in a release of web, worker: .venv/ (empty), node_modules/ (1 file), left out where there is no git; "
            "shared -> ../shared, leads out of the source"
        ),
        (
            "in each release of web, worker, though it looks like a secret: .env; "
            "list it in .gitignore, or give its values with `secrets`"
        ),
    ]


def test_machines_get_all_of_it(folder: Path) -> None:
    """With --json every path has its reason and its count."""
    data = json.loads(CliRunner().invoke(check, ["--json"]).output)
    assert data["contents"]["web"] == {
        "left_out": [
            {"path": ".venv/", "why": "left out where there is no git", "files": 0},
            {"path": "node_modules/", "why": "left out where there is no git", "files": 1},
            {"path": "shared -> ../shared", "why": "leads out of the source", "files": 1},
        ],
        "exposed": [".env"],
    }


def test_a_long_list_has_examples(tmp_path: Path) -> None:
    """Twenty logs do not fill the screen, and a name with control characters is only shown."""
    for number in range(10):
        (tmp_path / f"{number}.pfx").touch()
    (tmp_path / "0\x1b[2J.pfx").touch()
    (line,) = lines(accounts([{"name": "web", "source": str(tmp_path)}], None))
    assert "0\ufffd[2J.pfx, 0.pfx, 1.pfx, 2.pfx and 7 more" in line


def test_a_folder_that_goes_whole_needs_no_word(tmp_path: Path) -> None:
    """Neither does an image, nor a folder that is missing: the deploy says that."""
    services = [{"name": name, "source": source} for name, source in (("a", str(tmp_path)), ("b", ""), ("c", "/none"))]
    assert lines(accounts(services, None)) == []


def test_a_check_says_which_source_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody may make it before the deploy, so it is no mistake."""
    (tmp_path / "crossfade.yaml").write_text("app: shop\nservices: {web: {source: dist, command: ./run}}\n")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(check, [])
    assert done.exit_code == 0
    assert "1. services.web.source: there is no folder dist: correct it, or make it before a deploy" in done.output


def test_what_else_a_service_is_made_of_is_looked_at_too(tmp_path: Path) -> None:
    """By paths from its source; a link from one part to another leads nowhere else."""
    for name in ("api/x", "shared/.env", "shared/node_modules/y", "other/z"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "api/shared").symlink_to("../shared")
    (tmp_path / "api/other").symlink_to("../other")
    made = {"name": "api", "source": str(tmp_path / "api"), "also": [f"{tmp_path}/shared/"]}
    left, exposed = lines(accounts([made], None))
    assert left.startswith(
        "not in a release of api: other -> ../other, leads out of the source; ../shared/node_modules/"
    )
    assert exposed.startswith("in each release of api, though it looks like a secret: ../shared/.env; ")


def test_a_folder_that_may_not_be_read_is_named_with_the_way_out() -> None:
    """The data of a database that runs as another user, where there is no git that leaves it out."""
    with tempfile.TemporaryDirectory() as source:  # everybody may look for what is in it
        Path(source).chmod(0o755)
        data = Path(source) / "pgdata"
        data.mkdir()
        data.chmod(0)
        said = as_nobody(lambda: accounts([{"name": "web", "source": source}], None))
    assert said.startswith(f"{data} cannot be read: permission denied\n")
    assert "leave it out" in said
