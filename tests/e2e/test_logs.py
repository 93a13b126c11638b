"""logs: of all services, since a moment, of builds, hooks and jobs, as a person reads them."""

import json
from collections.abc import Iterator

import pytest
from tests.e2e.shell import Machine, machine

pytestmark = pytest.mark.slow


@pytest.fixture
def shop() -> Iterator[Machine]:
    with machine() as made:
        yield made


def test_logs_of_everything_that_writes(shop: Machine) -> None:
    """Instances of all services in order, or since a moment; what the build and the hook said; each with its time."""
    shop.write()
    ticks = {"kind": "worker", "source": ".", "command": "echo ticking; exec sleep 600", "deploy": {"bake": 0}}
    web = shop.service(build="echo building", hooks={"migrate": "echo migrating"})
    shop.write_file({"web": web, "tick": ticks})
    shop.ok("deploy")
    said = [json.loads(line) for line in shop.run("logs", "--json").out.splitlines()]
    assert {one["service"] for one in said} == {"shop/web", "shop/tick"}
    assert {"listening, secret None", "ticking"} == {one["line"] for one in said}
    assert [one["at"] for one in said] == sorted(one["at"] for one in said)
    assert {json.loads(line)["line"] for line in shop.run("logs", "tick", "--json").out.splitlines()} == {"ticking"}
    assert "ticking" in shop.run("logs", "--since", "10m").out
    assert shop.run("logs", "--since", "0s").out == ""
    assert "building" in shop.run("logs", "--builds").out
    hooks = shop.run("logs", "web", "--hooks").out
    assert "migrating" in hooks
    assert "building" not in hooks
    assert shop.run("logs", "--since", "soon").code == 2
