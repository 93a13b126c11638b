"""Work that is waited for, and what is said meanwhile."""

import threading
from typing import Any

import pytest

from crossfade.cli.machine.down import TroubleNotice
from crossfade.cli.meanwhile import meanwhile
from crossfade.core.errors import PlatformError, WrongInputError


class Trouble:
    """A controller with these troubles."""

    def __init__(self, *troubles: str) -> None:
        self.troubles = list(troubles)
        self.asked: list[dict[str, str]] = []

    def get(self, path: str, **query: str) -> Any:
        assert path == "/v1/status"
        self.asked.append(query)
        if not self.troubles:
            raise PlatformError("the controller does not answer")
        return {"services": [{"app": "shop", "name": "web", "trouble": self.troubles[0]}], "trouble": self.troubles[1:]}


def test_what_work_returns_comes_back_and_is_looked_after_until_then() -> None:
    """And not any longer."""
    looked = threading.Semaphore(0)

    def work() -> str:
        for _ in range(3):
            looked.acquire()
        return "done"

    assert meanwhile(work, looked.release, 0.001) == "done"


def test_what_work_raises_is_raised() -> None:
    """Where it was asked for."""

    def work() -> None:
        raise WrongInputError("no such app")

    with pytest.raises(WrongInputError, match="no such app"):
        meanwhile(work, lambda: None, 1)


def test_who_waits_is_told_of_each_trouble_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A service's and the machine's."""
    controller = Trouble("Envoy does not answer", "the balancer: Envoy cannot be used")
    waiting = TroubleNotice(controller, None)  # type: ignore[arg-type]
    waiting.tell()
    waiting.tell()
    assert capsys.readouterr().err.splitlines() == [
        "waits, because there is trouble: shop/web: Envoy does not answer",
        "waits, because there is trouble: the balancer: Envoy cannot be used",
    ]


def test_a_controller_that_does_not_answer_is_its_askers_to_tell(capsys: pytest.CaptureFixture[str]) -> None:
    """The work hears it, too."""
    TroubleNotice(Trouble(), None).tell()  # type: ignore[arg-type]
    assert not capsys.readouterr().err


def test_who_waits_for_one_app_hears_nothing_of_others() -> None:
    """The trouble of another is not what it waits for."""
    controller = Trouble("Envoy does not answer")
    for app in ("shop", None):
        TroubleNotice(controller, app).tell()  # type: ignore[arg-type]
    assert controller.asked == [{"app": "shop"}, {}]
