"""Balancers and runtimes by name: one table, and one clear error for a name that it lacks."""

import subprocess
import sys
from pathlib import Path

import pytest

from crossfade.adapters import BALANCERS, RUNTIMES, adapter
from crossfade.cli.machine import controller
from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.engine.ports.balancer import LoadBalancer
from crossfade.engine.ports.runtime import Runtime
from crossfade.file.deployable import deployable
from crossfade.paths import StateDirectory
from crossfade.platforms.local.machine import Runtimes

FILE = "app: shop\nservices: {web: {image: 'shop:1'}}\n"


@pytest.mark.parametrize(("table", "name"), [(t, name) for t in (BALANCERS, RUNTIMES) for name in t])
def test_every_name_has_its_adapter(table: dict[str, str], name: str) -> None:
    """The class is there, and has all that its port asks for."""
    made = adapter(table, name)
    assert made.__name__.lower().startswith(name)
    port = LoadBalancer if table is BALANCERS else Runtime
    assert {word for word in vars(port) if not word.startswith("_")} <= set(dir(made))


def test_the_table_is_read_without_any_adapter() -> None:
    """Who only wants the names does not wait for what is behind them."""
    code = "import sys, crossfade.adapters; print([m for m in sys.modules if m.startswith('crossfade.platforms')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_wrong_word_in_the_choice_of_before_names_the_file(tmp_path: Path) -> None:
    """The file, what stands in it, what was probably meant and what is allowed; the file stays as it is."""
    state = StateDirectory(tmp_path)
    state.choice.write_text("envoi\n")
    with pytest.raises(
        WrongInputError, match=r'balancer\.choice: found "envoi"; did you mean envoy\?; allowed: one of envoy, '
    ):
        controller.ensure(state)
    assert [path.name for path in tmp_path.iterdir()] == ["balancer.choice"]
    assert state.choice.read_text() == "envoi\n"


@pytest.mark.parametrize(("written", "chosen"), [(None, "envoy"), ("", "envoy"), ("nginx\n", "nginx")])
def test_the_choice_of_before_counts(tmp_path: Path, written: str | None, chosen: str) -> None:
    """Without one it is Envoy."""
    state = StateDirectory(tmp_path)
    if written is not None:
        state.choice.write_text(written)
    assert controller.balancer_of(state) == chosen


@pytest.mark.parametrize(
    "command",
    [
        ["-m", "crossfade.controller.daemon", "STATE", "ngnix"],
        ["-m", "crossfade.cli.main", "up", "--state", "STATE", "--balancer", "ngnix"],
    ],
)
def test_a_wrong_word_on_a_command_line_starts_nothing(tmp_path: Path, command: list[str]) -> None:
    """Exit code 2, one sentence, and no state directory."""
    state = tmp_path / "state"
    words = [sys.executable, *(str(state) if word == "STATE" else word for word in command)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert f'found "ngnix"; did you mean nginx?; allowed: one of {", ".join(BALANCERS)}' in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not state.exists()


def test_a_wrong_word_in_the_file_is_named_with_its_place(tmp_path: Path) -> None:
    """File, line, key and the word that was probably meant."""
    path = tmp_path / "crossfade.yaml"
    path.write_text(f"{FILE}balancer: ngnix\n")
    with pytest.raises(WrongInputError, match=r'crossfade\.yaml:3:\d+: balancer: found "ngnix".*did you mean nginx\?'):
        deployable(path, called="crossfade.yaml")


def test_a_file_that_names_no_balancer_leaves_it_to_the_machine(tmp_path: Path) -> None:
    """`crossfade up --balancer nginx` and a file without a word of it go together."""
    path = tmp_path / "crossfade.yaml"
    path.write_text(FILE)
    assert deployable(path, called="crossfade.yaml")["balancer"] is None
    path.write_text(f"{FILE}balancer: envoy\n")
    assert deployable(path, called="crossfade.yaml")["balancer"] == "envoy"
    path.write_text(f"{FILE}environments: {{one: {{balancer: nginx}}}}\n")
    assert deployable(path, called="crossfade.yaml")["balancer"] == "nginx"


def test_a_release_in_a_runtime_that_is_not_known_says_so() -> None:
    """As a newer crossfade may have left it in the journal."""
    with pytest.raises(PlatformError, match='runs in "wasm", this crossfade knows process, docker'):
        Runtimes.fromkeys(RUNTIMES)["wasm"]
