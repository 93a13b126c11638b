"""init, check and schema: verbs that touch nothing but a file."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from crossfade.cli.main import crossfade
from crossfade.core.errors import RefusedError, WrongInputError

FILE = "app: shop\nservices: {web: {source: ., command: python3 -m http.server $PORT}}\n"
COMPOSE = "services: {web: {image: 'shop:1', ports: ['8080:80'], networks: [back]}}\nnetworks: {back: {}}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> str:
    """The output; errors that the rim would show come out as they are."""
    result = CliRunner().invoke(crossfade, words, standalone_mode=False)
    if isinstance(result.exception, Exception) and not isinstance(result.exception, click.exceptions.Exit):
        raise result.exception
    return result.output


def test_init_writes_a_file_that_check_accepts(folder: Path) -> None:
    """The first file is right as it is."""
    assert "crossfade.yaml is written" in run("init")
    assert "is right" in run("check")


def test_init_never_overwrites(folder: Path) -> None:
    """A file that is there stays, unless --force says otherwise."""
    (folder / "crossfade.yaml").write_text(FILE)
    with pytest.raises(RefusedError, match="already exists"):
        run("init")
    assert (folder / "crossfade.yaml").read_text() == FILE
    run("init", "--force")
    assert (folder / "crossfade.yaml").read_text() != FILE


def test_init_says_where_it_cannot_write(folder: Path) -> None:
    """A folder in the file's place, a name that is too long: one sentence, and the option that names another."""
    (folder / "there").mkdir()
    for name in ("there", "a" * 300):
        with pytest.raises(RefusedError, match="cannot be written") as refused:
            run("init", "--force", "--file", name)
        assert refused.value.way_out == "name another with --file"


def test_init_from_compose_lists_what_is_left(folder: Path) -> None:
    """What a Compose file has and ours has not is named with its place and reason."""
    (folder / "compose.yaml").write_text(COMPOSE)
    data = json.loads(run("init", "--from", "compose.yaml", "--json"))
    assert any("networks" in item["what"] for item in data["left"])
    assert "What could not be carried over" in run("init", "--from", "compose.yaml", "--force")
    assert "is right" in run("check")


def test_init_from_a_file_that_is_not_there(folder: Path) -> None:
    """The missing Compose file is named, and nothing is written."""
    with pytest.raises(WrongInputError, match=r"nowhere\.yaml"):
        run("init", "--from", "nowhere.yaml")
    assert not (folder / "crossfade.yaml").exists()


def test_check_says_what_it_read(folder: Path) -> None:
    """The app, its environment and its services."""
    (folder / "crossfade.yaml").write_text(FILE)
    data = json.loads(run("check", "--json"))
    assert data == {
        "ok": True,
        "file": "crossfade.yaml",
        "app": "shop",
        "environment": "local",
        "environments": ["local"],
        "services": ["web"],
        "stores": [],
        "jobs": [],
        "todo": [],
    }


def test_check_names_stores_and_jobs_and_programs_that_are_not_there(folder: Path) -> None:
    """Of an image nobody can tell; of a process somebody may yet install it."""
    (folder / "crossfade.yaml").write_text(
        "app: shop\n"
        "services:\n"
        "  web: {source: ., command: sh app}\n"
        "  api: {image: acme/api, command: no-such-program, routes: [{path: /api/*}]}\n"
        'stores: {db: {image: "postgres:16", volumes: ["data:/var/lib/postgresql/data"]}}\n'
        'jobs: {tidy: {service: web, command: no-such-program --all, schedule: "0 3 * * *"}}\n'
    )
    assert "services web, api, stores db, jobs tidy\n" in run("check")
    (todo,) = json.loads(run("check", "--json"))["todo"]
    assert todo == {
        "where": "jobs.tidy.command",
        "what": "no-such-program was not found: install it, or correct it",
    }


def test_check_looks_at_every_environment(folder: Path) -> None:
    """None need be called local; one that is named is checked alone."""
    (folder / "crossfade.yaml").write_text(f"{FILE}environments: {{dev: {{}}, prod: {{}}}}\n")
    assert "environments dev, prod, services web" in run("check")
    assert json.loads(run("check", "-e", "prod", "--json"))["environments"] == ["prod"]


@pytest.mark.parametrize(
    ("balancer", "sticky", "strategy", "said"),
    [
        ("haproxy", "", "rolling", True),
        ("nginx", "", "canary", True),
        ("envoy", "", "rolling", False),
        ("haproxy", ", sticky: {release: true}", "canary", False),
        ("nginx", "", "recreate", False),
    ],
)
def test_check_says_what_only_envoy_does_for_pages(
    balancer: str, sticky: str, strategy: str, said: bool, folder: Path
) -> None:
    """Where a page may meet the script of another release, and how that is kept from happening."""
    web = f"web: {{source: ., command: run, deploy: {{strategy: {strategy}}}{sticky}}}"
    (folder / "crossfade.yaml").write_text(f"app: shop\nbalancer: {balancer}\nservices: {{{web}}}\n")
    assert (f"web: with {balancer} a " in run("check")) is said


def test_check_says_what_has_no_effect_on_aws(folder: Path) -> None:
    """One file serves a machine and AWS; what only our own balancer does is said, and not refused."""
    (folder / "crossfade.yaml").write_text(
        "app: shop\nlisten: {http: 8081}\nservices:\n  web: {image: acme/web, timeout: 5s, preview: {port: 9000}, "
        "resources: {cpu: 0.5, memory: 1G}}\nenvironments:\n  dev: {platform: aws}\n  here: {}\n"
    )
    found = json.loads(run("check", "--json"))["without_effect"]
    assert found.keys() == {"dev: listen", "dev: services.web.timeout", "dev: services.web.preview.port"}
    assert "dev: listen has no effect on AWS" in run("check")


def test_check_finds_the_file_above(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As git does with its repository."""
    (folder / "crossfade.yaml").write_text(FILE)
    (folder / "src" / "deep").mkdir(parents=True)
    monkeypatch.chdir(folder / "src" / "deep")
    assert "../../crossfade.yaml is right" in run("check")


def test_check_without_a_file(folder: Path) -> None:
    """It says where it looked and how to get one."""
    with pytest.raises(WrongInputError, match=r"no crossfade\.yaml") as error:
        run("check")
    assert "crossfade init" in error.value.way_out


def test_schema_is_json(folder: Path) -> None:
    """Editors can read it."""
    assert json.loads(run("schema"))["title"] == "crossfade.yaml"


def test_channels_that_nobody_tells_are_named(folder: Path) -> None:
    """Where rollouts are carried by whoever deploys, no controller is there to tell."""
    hosts = "environments:\n  prod: {platform: hosts, hosts: [a.example.com]}\n  local: {}\n"
    notify = "notify: {ops: {secret: OPS_WEBHOOK}}\n"
    text = "app: shop\nservices: {web: {source: ., command: sh x --port $PORT}}\n"
    (folder / "crossfade.yaml").write_text(text + notify + hosts)
    told = json.loads(run("check", "--json"))["todo"]
    assert [one["where"] for one in told] == ["notify.ops", "notify"]
    assert told[0]["what"].startswith("export OPS_WEBHOOK")
    assert "each host of prod" in told[1]["what"]
    (folder / "crossfade.yaml").write_text(text + hosts)
    assert json.loads(run("check", "--json"))["todo"] == []


def test_a_hook_that_nobody_runs_is_named(folder: Path) -> None:
    """AWS ends its instances itself, without `drain`; the other hooks it runs, but not beside processes."""
    text = (
        "app: shop\nservices: {web: {image: acme/shop, port: 80, hooks: {migrate: x, drain: y}}}\n"
        "cloud: {region: us-east-1, compute: {kind: autoscaling}}\n"
    )
    (folder / "crossfade.yaml").write_text(text + "environments: {prod: {platform: aws}}\n")
    (told,) = [one for one in json.loads(run("check", "--json"))["todo"] if "hooks" in one["where"]]
    assert "nobody runs drain in prod" in told["what"]
    processes = text.replace("image: acme/shop", "source: ., command: x").replace("drain: y", "smoke: y")
    (folder / "crossfade.yaml").write_text(processes + "environments: {prod: {platform: aws}}\n")
    (told,) = [one for one in json.loads(run("check", "--json"))["todo"] if "hooks" in one["where"]]
    assert "beside processes of the Auto Scaling group of prod" in told["what"]
    assert "have the pipeline run migrate, smoke" in told["what"]
    without = "environments: {prod: {platform: aws, services: {web: {hooks: {drain: null}}}}}\n"
    (folder / "crossfade.yaml").write_text(text + without)
    assert not [one for one in json.loads(run("check", "--json"))["todo"] if "hooks" in one["where"]]
