"""Names that a shell completes."""

from pathlib import Path

import click
import pytest

from crossfade.cli import names

FILE = """\
app: shop
services:
  web: {source: ., command: x}
  worker: {source: ., command: x}
environments:
  dev: {}
  prod: {}
"""


@pytest.fixture
def ctx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> click.Context:
    """A call in a folder with a file, where no controller runs."""
    (tmp_path / "crossfade.yaml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    made = click.Context(click.Command("logs"))
    made.params["state"] = str(tmp_path / "state")
    return made


def test_services_and_environments_of_the_file(ctx: click.Context) -> None:
    """Those that begin with what was typed."""
    argument = click.Argument(["service"])
    assert names.services(ctx, argument, "w") == ["web", "worker"]
    assert names.services(ctx, argument, "we") == ["web"]
    assert names.environments(ctx, argument, "") == ["dev", "prod"]


def test_nothing_is_started_and_nothing_breaks_without_a_controller_or_a_file(ctx: click.Context) -> None:
    """A completion that fails would write into somebody's line."""
    Path("crossfade.yaml").write_text("services: [")
    argument = click.Argument(["service"])
    assert names.services(ctx, argument, "") == names.environments(ctx, argument, "") == []
    assert names.apps(ctx, argument, "") == names.instances(ctx, argument, "") == []
    assert not (Path.cwd() / "state").exists()
