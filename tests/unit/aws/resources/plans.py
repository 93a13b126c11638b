"""Plans as `terraform show -json` writes them, made by hand."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def resource(address: str, **values: Any) -> dict[str, Any]:
    """A planned resource; its type is in its address."""
    kind = next(part for part in address.split(".") if part.startswith("aws_"))
    return {"address": address, "mode": "managed", "type": kind, "values": values}


def configured(address: str, **expressions: Any) -> dict[str, Any]:
    """A resource as the configuration has it. An expression is a list of references, or a block with its own."""
    each = expressions.pop("for_each", None)
    made = {"address": address, "expressions": {key: expression(of) for key, of in expressions.items()}}
    return made | ({"for_each_expression": expression(each)} if each else {})


def expression(of: Any) -> Any:
    if isinstance(of, Mapping):
        return [{key: expression(item) for key, item in of.items()}]
    return {"references": of} if isinstance(of, list) else {"constant_value": of}


def document(
    root: list[dict[str, Any]],
    configuration: Mapping[str, Any] | None = None,
    children: list[dict[str, Any]] | None = None,
    **rest: Any,
) -> dict[str, Any]:
    module = {"resources": root, "child_modules": children or []}
    return {
        "format_version": "1.2",
        "planned_values": {"root_module": module},
        "configuration": {"root_module": configuration or {}},
        **rest,
    }


def written(folder: Path, of: Any) -> Path:
    """The plan in a file."""
    path = folder / "plan.json"
    path.write_text(json.dumps(of))
    return path
