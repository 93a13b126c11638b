"""What comes into a plan from outside of its configuration: variables that somebody gave, and what Terraform looked up.

A plan does not say what a local value is made of. One that holds none of what came from outside is made of constants.
"""

import json
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

_SHORTEST = 8  # letters of a part that tells where a text comes from: `prod` stands in many
_SCRIPT = re.compile(r"[0-9a-f]{40}")  # what the provider plans of the script of a host
_HASHED = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}|[0-9a-f]{128}|\$2[aby]\$.+")
_OWN_TEXT = "aws_iam_policy_document"  # is made of the configuration, and looks up nothing
_OWN_PROVIDER = "aws_"  # whose resources have what the configuration says, but for what is sensitive


class OutsideValues:
    """Values from outside: `variables` that the plan was made with, and `prior`, what was there or was looked up."""

    def __init__(
        self, configuration: Mapping[str, Any], variables: Mapping[str, Any], prior: Mapping[str, Any]
    ) -> None:
        self._declared: Mapping[str, Any] = configuration.get("variables") or {}
        self._written = {one["address"]: one.get("expressions", {}) for one in configuration.get("resources", ())}
        self._variables = variables
        self._prior = prior
        self._answers: dict[str, bool] = {}

    def brings(self, text: str) -> bool:
        """Whether a text is, has in it or is a part of something that came from outside. True where nobody knows."""
        if text not in self._answers:
            self._answers[text] = self._is_blind or self._comes_from_there(text)
        return self._answers[text]

    def _comes_from_there(self, text: str) -> bool:
        if _SCRIPT.fullmatch(text) or (_HASHED.fullmatch(text) and self._texts):
            return True  # of what, nobody can tell
        shapes = [shape for shape in _shapes(text) if shape]
        return any(
            shape in each or (len(each) >= _SHORTEST and each in shape) for each in self._texts for shape in shapes
        )

    @cached_property
    def _is_blind(self) -> bool:
        """An old plan may lack what it was made with."""
        return any("default" not in said and name not in self._variables for name, said in self._declared.items())

    @cached_property
    def _texts(self) -> frozenset[str]:
        found = {shape for text in self._known() for shape in _shapes(text)}
        return frozenset(found - {""})

    def _known(self) -> Iterator[str]:
        for name, said in self._variables.items():
            value = said.get("value")
            if value != (self._declared.get(name) or {}).get("default"):
                yield from _strings(value)
        for resource in _resources(self._prior):
            values, secret = resource.get("values") or {}, resource.get("sensitive_values") or {}
            if resource.get("mode") == "data":
                yield from _strings(values) if resource.get("type") != _OWN_TEXT else ()
                continue
            own = str(resource.get("type")).startswith(_OWN_PROVIDER)
            for key, value in values.items():
                if key not in self._written.get(resource.get("address"), {}) and (key in secret or not own):
                    yield from _strings(value)


def _resources(root: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    waiting = [root]
    while waiting:
        module = waiting.pop()
        yield from module.get("resources", ())
        waiting.extend(module.get("child_modules", ()))


def _strings(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, str):
            yield here
        elif isinstance(here, Mapping):
            waiting.extend(here.values())
        elif isinstance(here, list):
            waiting.extend(here)


def _shapes(text: str) -> Iterator[str]:
    """A text, what it says as JSON, and what it is the code of."""
    yield text
    with suppress(ValueError, RecursionError):
        yield from _strings(json.loads(text))
    with suppress(ValueError):
        yield b64decode(text, validate=True).decode()
