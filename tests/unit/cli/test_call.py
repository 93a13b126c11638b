"""Which app a verb is about."""

from pathlib import Path
from typing import Any, get_args

import pytest

from crossfade.cli.call import STRATEGIES, Call
from crossfade.core.errors import WrongInputError
from crossfade.core.service import ChosenStrategy
from crossfade.paths import StateDirectory


class Controller:
    """Answers with its services, as a client does."""

    def __init__(self, *services: str, taken_down: tuple[str, ...] = ()) -> None:
        self.services = list(services)
        self.taken_down = list(taken_down)

    def get(self, path: str) -> Any:
        assert path == "/v1/controller"
        return {"services": self.services, "taken_down": self.taken_down}


def call(tmp_path: Path, **options: Any) -> Call:
    return Call(state=StateDirectory(tmp_path / "state"), json=False, **options)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def target(one: Call, service: str | None = None, *services: str) -> dict[str, str]:
    return one.target(Controller(*services), service)  # type: ignore[arg-type]


def test_the_named_app_wins(tmp_path: Path) -> None:
    """--app is said on purpose."""
    (tmp_path / "crossfade.yaml").write_text("app: shop\n")
    assert target(call(tmp_path, app="blog"), "web") == {"app": "blog", "service": "web"}


@pytest.mark.parametrize("line", ["app: shop", "app: 'shop'", 'app: "shop"  # ours', "services: {}\napp:   shop"])
def test_the_app_of_the_file(line: str, tmp_path: Path) -> None:
    """In an app's folder its verbs are about it."""
    (tmp_path / "crossfade.yaml").write_text(f"{line}\n")
    assert target(call(tmp_path), None, "blog/web", "shop/web") == {"app": "shop"}


def test_the_only_app(tmp_path: Path) -> None:
    """Where one app runs, nobody needs to name it."""
    assert target(call(tmp_path), None, "shop/web", "shop/api") == {"app": "shop"}


def test_of_several_apps_none_is_guessed(tmp_path: Path) -> None:
    """Where several run, they are named."""
    with pytest.raises(WrongInputError, match="blog, shop"):
        target(call(tmp_path), None, "shop/web", "blog/web")


def test_app_and_service_in_one_word(tmp_path: Path) -> None:
    """As status shows them."""
    assert target(call(tmp_path), "shop/web") == {"app": "shop", "service": "web"}


def test_where_nothing_runs_any_more_the_app_that_was_taken_down_is_meant(tmp_path: Path) -> None:
    """Its history is still asked for; of several, one has to be named."""
    one = Controller(taken_down=("shop/web", "shop/api"))
    assert call(tmp_path).target(one, None) == {"app": "shop"}  # type: ignore[arg-type]
    several = Controller(taken_down=("shop/web", "blog/web"))
    with pytest.raises(WrongInputError, match="several apps were taken down here: blog, shop"):
        call(tmp_path).target(several, None)  # type: ignore[arg-type]


def test_the_command_line_has_every_strategy_that_a_file_may_name() -> None:
    """One that is new is added to both."""
    assert get_args(ChosenStrategy) == STRATEGIES
