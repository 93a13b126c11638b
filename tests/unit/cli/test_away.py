"""Verbs with `-e` where the environment is elsewhere: the process that was asked is its controller."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.unit.controller.site import within
from tests.unit.controller.there import HOME, WEB, There, Unreturned

from crossfade import adapters
from crossfade.cli.main import crossfade
from crossfade.core.errors import CrossfadeError, RefusedError, WrongInputError
from crossfade.engine.fold import fold
from crossfade.engine.ports.journal import Event
from crossfade.engine.world import RemoteEnvironment
from crossfade.file.deployable import deployable

FILE = """
app: shop
services:
  web:
    image: shop/web
    port: 3000
    resources: {cpu: 0.5, memory: 1G}
    health: {path: /health, interval: 6s}
    deploy: {strategy: blue-green, bake: %s, keep_previous: 0s, rollback_on: {min_requests: 0}}
environments:
  local: {}
  prod: {platform: aws}
"""


class Shell:
    """Verbs as a person types them, one process each."""

    def __init__(self, there: There, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.there, self.folder, self._capsys = there, folder, capsys
        self.troubles: list[CrossfadeError] = []
        self.compute = "fargate"
        self.revision: Mapping[str, str] | None = None  # what goes with a source that CodeDeploy brings
        self.write("0s")

    def write(self, bake: str) -> None:
        (self.folder / "crossfade.yaml").write_text(FILE % bake)

    def write_groups(self, runs: str, by: str = "") -> None:
        """Auto Scaling groups instead of Fargate, what is to run there, and the strategy of CodeDeploy's pipeline."""
        self.compute = "autoscaling"
        pipeline = f", pipeline: {{by: codedeploy, repository: acme/shop, strategy: {by}}}" if by else ""
        cloud = f"prod: {{platform: aws, cloud: {{compute: {{kind: autoscaling}}{pipeline}}}}}"
        text = (FILE % "0s").replace("prod: {platform: aws}", cloud).replace("image: shop/web", runs)
        (self.folder / "crossfade.yaml").write_text(text)

    def run(self, *words: str) -> tuple[int, str]:
        """Exit code, and what was said."""
        code = crossfade.main(list(words), standalone_mode=False)
        return code or 0, self._capsys.readouterr().out

    def json(self, *words: str) -> Any:
        """The last line of `--json`."""
        return json.loads(self.run(*words, "--json")[1].splitlines()[-1])

    @asynccontextmanager
    async def environment(
        self,
        app: str,
        name: str,
        *,
        region: str,
        account: str | None,
        told: Callable[[Event], None],
        compute: str,
        host: str,
        log_group: str,
        revision: Mapping[str, str] | None,
    ) -> AsyncIterator[RemoteEnvironment]:
        self.revision = revision
        assert not host, "no file here names a domain"
        assert (f"{app}@{name}", region, account, compute) == (HOME, "us-east-1", None, self.compute)
        if self.troubles:
            raise self.troubles.pop()
        yield self.there.environment(told)[0]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    made = Shell(There(tmp_path), tmp_path, capsys)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROSSFADE_STATE", str(tmp_path / "state"))
    monkeypatch.setitem(adapters.PLATFORMS, "aws", f"{__name__}:opened")  # type: ignore[arg-type]  # a dict
    monkeypatch.setattr(__import__(__name__, fromlist=["opened"]), "opened", made.environment)
    return made


def opened(*_: Any, **__: Any) -> Any:
    """Where the table points to; each test puts its own here."""
    raise NotImplementedError


def test_a_deploy_is_carried_to_its_end(shell: Shell) -> None:
    """Told as it happens, with the proof as the answer; and nothing of it is held afterwards."""
    code, said = shell.run("deploy", "-e", "prod", "--version", "v1")
    assert code == 0
    assert f"{WEB}: release 1 (v1): blue-green" in said.replace("\n", " ") or "release 1 (v1): blue-green" in said
    assert shell.there.site.serves(WEB) == 1
    assert not shell.there.paper.leases[WEB].holder
    assert not (shell.folder / "state").exists()


def test_every_look_knows_the_environment(shell: Shell) -> None:
    """As on this machine, under the name that says where."""
    shell.run("deploy", "-e", "prod", "--version", "v1")
    assert f"{WEB}: release 1 (v1), 1 of 1 instance serving" in shell.run("status", "-e", "prod")[1]
    assert shell.json("releases", "-e", "prod")["releases"][0]["version"] == "v1"
    assert "release 1" in shell.run("events", "-e", "prod")[1]


def test_orders_between_rollouts_reach_it(shell: Shell) -> None:
    """lock, tag, scale: on record, and the lease given back."""
    shell.run("deploy", "-e", "prod", "--version", "v1")
    assert shell.run("lock", "-e", "prod", "--reason", "sale")[0] == 0
    with pytest.raises(RefusedError, match="shop@prod/web has been locked by"):
        shell.run("deploy", "-e", "prod", "--version", "v2")
    shell.run("lock", "-e", "prod", "--release")
    assert shell.json("tag", "stable", "-e", "prod")["release"] == 1
    assert shell.json("scale", "2", "-e", "prod")["services"][0]["replicas"] == 2
    assert shell.there.site.running(WEB) == {1: 2}


@pytest.mark.long
def test_the_next_process_takes_back_what_a_killed_one_left(shell: Shell) -> None:
    """`abort` waits until the lease lapsed, and carries it home itself."""
    _left_by_a_killed_process(shell)
    assert "carried by" in shell.run("status", "-e", "prod")[1]
    code, said = shell.run("abort", "-e", "prod", "--reason", "wrong branch")
    assert (code, "wrong branch" in said) == (0, True)
    assert shell.there.site.running(WEB) == {}


@pytest.mark.long
def test_the_next_deploy_goes_on_with_what_a_killed_one_left(shell: Shell) -> None:
    """And ends well when that is what was to be deployed: a job of CI is run again."""
    _left_by_a_killed_process(shell, bake="2s")
    code, said = shell.run("deploy", "-e", "prod", "--version", "v1")
    assert code == 0
    assert "was left: going on with it" in said
    assert "already runs exactly this" in said
    assert [r.version for r in _ledger(shell)] == ["v1"]


@pytest.mark.long
def test_going_back_is_carried_too(shell: Shell) -> None:
    """To the last good release."""
    shell.run("deploy", "-e", "prod", "--version", "v1")
    shell.run("deploy", "-e", "prod", "--version", "v2", "--force")
    assert shell.there.site.serves(WEB) == 2
    assert shell.run("rollback", "-e", "prod")[0] == 0
    assert shell.there.site.serves(WEB) == 1


def test_what_the_platform_says_is_the_answer(shell: Shell) -> None:
    """No credentials, no table: one sentence with its exit code, and nothing was touched."""
    shell.troubles = [WrongInputError("there is no table shop-crossfade in us-east-1", "bootstrap")]
    with pytest.raises(WrongInputError, match="table shop-crossfade"):
        shell.run("deploy", "-e", "prod")
    assert shell.there.paper.events == []


def test_a_plan_needs_no_credentials(shell: Shell) -> None:
    """It says that it knows nothing of what runs."""
    shell.troubles = [WrongInputError("there are no credentials for AWS")]
    assert "launch 1 of release 1" in shell.run("plan", "-e", "prod")[1]


def test_a_plan_says_what_both_fleets_cost(shell: Shell) -> None:
    """By the hour in which they run; where the old one goes first there is no second fleet."""
    assert re.search(r"while both fleets run, an hour costs \d+\.\d\d USD more", shell.run("plan", "-e", "prod")[1])
    assert "both fleets" not in shell.run("plan", "-e", "prod", "--strategy", "recreate")[1]


def test_an_image_is_deployed_to_auto_scaling_groups(shell: Shell) -> None:
    """By the same command as to Fargate."""
    shell.write_groups("image: shop/web")
    assert shell.run("deploy", "-e", "prod", "--version", "v1")[0] == 0
    assert shell.there.site.serves(WEB) == 1


def test_what_is_not_reached_yet_is_said(shell: Shell) -> None:
    """A rollout that nobody would carry, and a source on hosts of Auto Scaling groups, with whoever brings it there."""
    with pytest.raises(WrongInputError, match="nobody would carry the rollout"):
        shell.run("deploy", "-e", "prod", "--detach")
    shell.write_groups("source: .\n    command: exec ./serve")
    with pytest.raises(RefusedError, match=r"shop@prod/web cannot be deployed yet.* Auto Scaling groups") as refused:
        shell.run("deploy", "-e", "prod")
    assert "by: codedeploy, strategy: hybrid" in refused.value.way_out


def test_a_source_is_deployed_where_codedeploy_brings_it(shell: Shell) -> None:
    """With the appspec and the hooks that the file says; where CodeDeploy moves the visitors too, it is refused."""
    shell.write_groups("source: .\n    command: exec ./serve", by="hybrid")
    assert shell.run("deploy", "-e", "prod", "--version", "v1")[0] == 0
    assert shell.revision is not None
    assert shell.revision["appspec.yml"].startswith("# How CodeDeploy brings a revision to a host of prod")
    shell.write_groups("source: .\n    command: exec ./serve", by="codedeploy-only")
    with pytest.raises(RefusedError, match="CodeDeploy deploys to prod by itself"):
        shell.run("status", "-e", "prod")


def _left_by_a_killed_process(shell: Shell, bake: str = "60s") -> None:
    """A deploy in its bake, of a process that gives nothing back and is gone."""
    shell.write(bake)
    wanted = deployable(shell.folder / "crossfade.yaml", called="crossfade.yaml", environment="prod")["services"]

    async def killed() -> None:
        async with shell.there.process(journal=Unreturned) as process:
            await within(process.ask("POST", "/v1/deploy", services=wanted, by="kim@laptop", version="v1"))

    asyncio.run(killed())


def _ledger(shell: Shell) -> Any:
    return fold(shell.there.paper.events)[WEB].releases
