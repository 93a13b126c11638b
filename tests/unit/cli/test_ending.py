"""The exit code by which a rollout's end is known to scripts, and what a person reads."""

from typing import Any

import pytest

from crossfade.cli.call import Call
from crossfade.cli.ship.ending import answered
from crossfade.paths import default_state


@pytest.mark.parametrize(
    ("state", "denied", "code"),
    [("succeeded", False, 0), ("succeeded", True, 0), ("rolled_back", False, 1), ("rolled_back", True, 4)],
)
def test_what_the_platform_refused_is_no_failed_release(state: str, denied: bool, code: int) -> None:
    """Trouble of the platform, whatever became of it on the way to success."""
    rollout = {"state": state, "denied": denied, "reason": ""}
    assert answered(Call(state=default_state(), json=True), {"rollout": rollout, "traffic": None}) == code


@pytest.mark.parametrize(
    ("listener", "before", "said"),
    [
        ({}, None, "Visitors find it at http://localhost:8080."),
        ({"only": "shop.example.com"}, None, "Visitors find it at http://shop.example.com:8080."),
        ({"host": "127.0.0.1", "http": None, "https": 8443}, None, "Visitors find it at https://localhost:8443."),
        ({"host": "10.0.0.7"}, None, "Visitors find it at http://10.0.0.7:8080."),
        ({"host": "fd00::7", "http": 80}, None, "Visitors find it at http://[fd00::7]:80."),
        ({}, 3, ""),
    ],
)
def test_a_first_release_says_where_visitors_find_it(
    listener: dict[str, Any], before: int | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever brings the second one knows."""
    rollout = {"service": "shop/web", "state": "succeeded", "strategy": "blue-green", "seconds": 1.0, "gone": False}
    rollout |= {"from": before, "from_version": "", "to": 4, "to_version": "v4", "reason": "", "denied": False}
    service = {
        "app": "shop",
        "name": "web",
        "kind": "web",
        "routes": [{"host": listener.get("only", "*"), "path": "/*"}],
    }
    service |= {"listener": {"host": "0.0.0.0", "http": 8080, "https": None, **listener}}
    result = {"rollout": rollout, "traffic": None, "ended": {"stopped": 0, "ending": 0, "killed": 0}}
    assert answered(Call(state=default_state(), json=False), result, services=[service]) == 0
    assert capsys.readouterr().out.splitlines()[2:] == ([said] if said else [])


def rolled_out(name: str, before: int | None = None) -> dict[str, Any]:
    rollout = {"service": f"shop/{name}", "state": "succeeded", "strategy": "blue-green", "seconds": 1.0, "gone": False}
    rollout |= {"from": before, "from_version": "", "to": 4, "to_version": "v4", "reason": "", "denied": False}
    return {"rollout": rollout, "traffic": None, "ended": {"stopped": 0, "ending": 0, "killed": 0}}


def a_service(name: str, *routes: tuple[str, str], **listener: Any) -> dict[str, Any]:
    listening = {"host": "0.0.0.0", "http": 8080, "https": None, "tls": None, **listener}
    told = [{"host": host, "path": path} for host, path in routes]
    return {"app": "shop", "name": name, "kind": "web", "routes": told, "listener": listening}


@pytest.mark.parametrize(
    ("services", "said"),
    [
        (
            [a_service("web", ("shop.example.com", "/*"), ("*.example.net", "/*"))],
            "Visitors find it at http://shop.example.com:8080, http://*.example.net:8080.",
        ),
        (
            [a_service("web", ("*", "/api/*"), ("*", "/up"))],
            "it at http://localhost:8080/api, http://localhost:8080/up.",
        ),
        (
            [a_service("web", ("*", "/*")), a_service("api", ("*", "/api/*"))],
            "Visitors find web at http://localhost:8080, api at http://localhost:8080/api.",
        ),
        (
            [a_service("web", ("a.example.com", "/*"), https=8443, tls={"redirect": True})],
            "it at https://a.example.com:8443.",
        ),
        (
            [a_service("web", *((f"h{n}.example.com", "/*") for n in range(6)), http=80)],
            "http://h3.example.com:80 and 2 more.",
        ),
        (
            [a_service("web", ("*", "/*"), host="10.0.0.7"), a_service("old", ("x.org", "/*"))],
            "it at http://10.0.0.7:8080.",
        ),
    ],
)
def test_visitors_are_shown_every_way_in(
    services: list[dict[str, Any]], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the hosts and paths that the routes have; nothing of what was out before."""
    results = [rolled_out(one["name"], 3 if one["name"] == "old" else None) for one in services]
    group = {"state": "succeeded", "members": [{"service": one["rollout"]["service"]} for one in results]}
    answered(Call(state=default_state(), json=False), {"group": group, "results": results}, services=services)
    assert capsys.readouterr().out.splitlines()[-1].endswith(said)
