"""What stands in the configuration itself: constants, also those that a variable or a module brings.

A plan has the values of all arguments and does not say which of them somebody typed: a password from the shell or from
a store is a variable as well. https://developer.hashicorp.com/terraform/internals/json-format#configuration-representation
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import sha1
from typing import Any

from crossfade.aws.resources.outside import OutsideValues

PROVISIONER = "provisioner"  # under which the steps stand that Terraform itself runs
_STEP = re.compile(r'\.([\w-]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]')
_VARIABLE = re.compile(r"var\.([\w-]+)(.*)", re.DOTALL)
_WORKED_OUT = object()  # from constants alone, by a function
_LOCAL = object()  # from a local value, of which only what it is tells where it comes from
_INNER = re.compile(r"(?:local|var|path|terraform|each|count)\.")

Path = tuple[str, ...]


class WrittenValues:
    """`variables` are those that the plan was made with."""

    def __init__(
        self, modules: Mapping[Path, Mapping[str, Any]], variables: Mapping[str, Any], outside: OutsideValues
    ) -> None:
        self._modules = modules
        self._variables = variables
        self._outside = outside

    def of(self, path: Path, resource: Mapping[str, Any], planned: Mapping[str, Any]) -> dict[str, Any]:
        """What of a resource of the module at `path` is written, blocks inside of blocks as lists of mappings."""
        found = self._constants(path, resource.get("expressions", {}), planned)
        steps = [self._constants(path, step.get("expressions", {}), {}) for step in resource.get("provisioners", ())]
        return found | ({PROVISIONER: steps} if any(steps) else {})

    def _constants(self, path: Path, expressions: Mapping[str, Any], planned: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, expression in expressions.items():
            said = planned.get(key) if isinstance(planned, Mapping) else None
            if isinstance(expression, list):
                blocks = said if isinstance(said, list) else []
                found[key] = [
                    self._constants(path, one, blocks[at] if at < len(blocks) else {})
                    for at, one in enumerate(expression)
                    if isinstance(one, Mapping)
                ]
            elif isinstance(expression, Mapping):
                found[key] = self._constant(path, expression, said)
        return {key: value for key, value in found.items() if value not in ({}, [], None)}

    def _constant(self, path: Path, expression: Mapping[str, Any], said: Any) -> Any:
        if "constant_value" in expression:
            return expression["constant_value"]
        if expression and "references" not in expression:
            return self._constants(path, expression, said)
        brought = self._brought(path, expression.get("references") or ())
        if brought is _WORKED_OUT:
            return said if isinstance(said, str | list) else None
        if brought is _LOCAL:
            return said if isinstance(said, str) and not self._outside.brings(said) else None
        return brought if isinstance(brought, str) and said in (None, brought, _hashed(brought)) else None

    def _brought(self, path: Path, references: Sequence[str]) -> Any:
        """What comes from one variable whose value is written, from local values or from constants; else None."""
        if not references:
            return _WORKED_OUT
        if any(one.startswith("local.") for one in references) and all(map(_INNER.match, references)):
            return _LOCAL
        named = _VARIABLE.fullmatch(max(references, key=len))
        if named is None or not all(one.startswith(f"var.{named[1]}") for one in references):
            return None
        value = self._variable(path, named[1])
        return value if value in (_WORKED_OUT, _LOCAL) else part(value, named[2])

    def _variable(self, path: Path, name: str) -> Any:
        default = (self._modules.get(path, {}).get("variables", {}).get(name) or {}).get("default")
        if not path:
            given = (self._variables.get(name) or {}).get("value", default)
            return default if given == default else None
        call = self._modules[path[:-1]].get("module_calls", {}).get(path[-1], {})
        argument = call.get("expressions", {}).get(name)
        if not isinstance(argument, Mapping):
            return default
        if "constant_value" in argument:
            return argument["constant_value"]
        return self._brought(path[:-1], argument.get("references") or ())


def part(value: Any, rest: str) -> Any:
    """The part of a value that a reference goes on to; None where it has none."""
    for name, index, key in _STEP.findall(rest):
        if isinstance(value, Mapping):
            value = value.get(name or key)
        elif isinstance(value, list) and index:
            value = value[int(index)] if int(index) < len(value) else None
        else:
            return None
    return value


def _hashed(text: str) -> str:
    """What the provider plans of the script of an instance."""
    return sha1(text.encode(), usedforsecurity=False).hexdigest()
