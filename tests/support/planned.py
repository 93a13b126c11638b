"""What Terraform plans for an example, from its crossfade.yaml alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest
from tests.support.once import once
from tests.support.terraform import Terraform, offline

from crossfade.aws.terraform.tree import tree
from crossfade.aws.terraform.write import compare, write
from crossfade.file.load import load_every
from crossfade.file.model import App

EXAMPLES = Path(__file__).parents[2] / "examples"
FIXTURES = Path(__file__).parents[1] / "fixtures"
WORKER = ("mailer", "dev")  # what no example has: a worker beside a web service


@cache
def on_aws() -> tuple[tuple[str, str], ...]:
    """(system, environment) of every example that has one on AWS."""
    return tuple(
        (file.parent.name, name)
        for file in sorted(EXAMPLES.glob("*/crossfade.yaml"))
        for name, app in load_every(file).items()
        if app.platform == "aws"
    )


# Planned in every run: each takes ten seconds of a core. Those in production, on hosts and of workers are in CI's.
_ALWAYS = ("codemate", "dev")


def file_of(system: str) -> Path:
    return (FIXTURES if system == WORKER[0] else EXAMPLES) / system / "crossfade.yaml"


def to_plan() -> list[Any]:
    """`on_aws()` as parameters of tests that want a plan of each."""
    long = pytest.mark.long
    return [pytest.param(one, marks=() if one == _ALWAYS else long, id="-".join(one)) for one in [*on_aws(), WORKER]]


@dataclass(frozen=True)
class Planned:
    """One environment: its file, its folder, and its plan as `terraform show -json` has it."""

    app: App
    folder: Path
    json: Mapping[str, Any]

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        """Values by address; what is known only after apply is missing."""
        return {one["address"]: one.get("values", {}) for one in _all(self.json["planned_values"]["root_module"])}

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """All resources of a type, by address."""
        return {address: values for address, values in self.resources.items() if f".{kind}." in f".{address}"}

    def one(self, kind: str) -> dict[str, Any]:
        """The only resource of a type."""
        ((_, values),) = self.of(kind).items()
        return values


class Plans:
    """Each plan is made once in a test run, when a test first asks for it."""

    def __init__(self, terraform: Terraform, scratch: Path) -> None:
        self._terraform = terraform
        self._scratch = scratch
        self._made: dict[tuple[str, str], Planned] = {}

    def of(self, system: str, environment: str) -> Planned:
        key = (system, environment)
        if key not in self._made:
            app = load_every(file_of(system))[environment]
            root = self._scratch / "-".join(key)
            folder = root / "environments" / environment
            text = once(self._scratch / f"{root.name}.json", lambda: self._plan(app, root, folder))
            self._made[key] = Planned(app, folder, json.loads(text))
        return self._made[key]

    def _plan(self, app: App, root: Path, folder: Path) -> str:
        write(compare(root, tree([app])))
        offline(folder)
        self._terraform.init(folder, backend=True)
        return json.dumps(self._terraform.plan(folder))


def _all(module: Mapping[str, Any]) -> list[dict[str, Any]]:
    inner = [one for child in module.get("child_modules", []) for one in _all(child)]
    return [*(one for one in module.get("resources", []) if one["mode"] == "managed"), *inner]


def policy(values: Mapping[str, Any], key: str = "policy") -> Any:
    """A policy that a resource carries as text."""
    return json.loads(values[key])
