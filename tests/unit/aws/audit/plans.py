"""Plans that terraform made, cut to what is read of them: `python -m tests.unit.aws.audit.plans` makes them again."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.terraform import Terraform, find_terraform, offline

FOLDER = Path(__file__).parent / "plans"
NAMES = ("broken", "clean")
_UNREAD = frozenset({"sensitive_values", "provider_name", "provider_config_key", "schema_version", "full_name"})


def trimmed(plan: Mapping[str, Any]) -> dict[str, Any]:
    """What the audit reads: what will be, and the configuration's references."""
    read = {key: _without(plan[key]) for key in ("planned_values", "configuration")}
    return read | {"resource_changes": [_unknown(change) for change in plan["resource_changes"]]}


def _unknown(change: Mapping[str, Any]) -> dict[str, Any]:
    unknown = {key: said for key, said in change["change"]["after_unknown"].items() if said is True}
    return {"address": change["address"], "change": {"after_unknown": dict(sorted(unknown.items()))}}


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _without(item) for key, item in value.items() if key not in _UNREAD and item is not None}
        return {key: kept[key] for key in sorted(kept)}
    return [_without(item) for item in value] if isinstance(value, list) else value


def made(name: str, terraform: Terraform, scratch: Path) -> dict[str, Any]:
    """The plan of one of the folders, now."""
    folder = scratch / name
    shutil.copytree(FOLDER / name, folder, ignore=shutil.ignore_patterns("*.json"))
    offline(folder)
    terraform.init(folder, backend=True)
    return trimmed(terraform.plan(folder))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        for each in NAMES:
            plan = made(each, find_terraform(Path(scratch)), Path(scratch))
            (FOLDER / each / "plan.json").write_text(json.dumps(plan, indent=1) + "\n", encoding="utf-8")
