"""What the AWS provider has: its types, and of those that are billed what can be set. Written by

    python -m tests.support.provider_schema

where Terraform and the provider are installed.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.support.terraform import PROVIDER, Terraform, find_terraform

from crossfade.aws.cost.catalog.catalog import verdict

FOLDER = Path(__file__).parents[1] / "unit" / "aws" / "cost" / "provider"
TYPES, ATTRIBUTES = FOLDER / "types.txt", FOLDER / "attributes.txt"
_MAIN = 'terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws" }\n  }\n}\n'
# Free by themselves, and read for what they say of something else.
READ = frozenset(
    {"aws_launch_template", "aws_launch_configuration", "aws_ecs_task_definition", "aws_appautoscaling_target"}
)
_DEEPEST = 2  # dots: what is deeper stands as its block
# Neither what something is called nor how long Terraform waits is on a bill.
_NEVER = frozenset({"id", "tags", "tags_all", "timeouts"})


def asked(terraform: Terraform, folder: Path) -> tuple[str, Mapping[str, Any]]:
    """The provider's version, and its resources by type."""
    (folder / "main.tf").write_text(_MAIN)
    terraform.init(folder)
    versions = json.loads(terraform.run(folder, "version", "-json").stdout)["provider_selections"]
    schema = json.loads(terraform.run(folder, "providers", "schema", "-json").stdout)
    return versions[PROVIDER], schema["provider_schemas"][PROVIDER]["resource_schemas"]


def types(version: str, resources: Mapping[str, Any]) -> str:
    return "\n".join([f"# hashicorp/aws {version}", *sorted(resources), ""])


def attributes(version: str, resources: Mapping[str, Any]) -> str:
    """One line for each type that is billed by code or by a table."""
    billed = (kind for kind in sorted(resources) if kind in READ or is_billed(kind))
    lines = (f"{kind}: {' '.join(sorted(_settable(resources[kind]['block'])))}" for kind in billed)
    return "\n".join([f"# hashicorp/aws {version}", *lines, ""])


def read(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


def is_billed(kind: str) -> bool:
    found = verdict(kind)
    return found is not None and (found.by_code or bool(found.lines))


def _settable(block: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Attributes that a person can set, those of blocks with the block's name before them."""
    for name, attribute in block.get("attributes", {}).items():
        if (attribute.get("optional") or attribute.get("required")) and (prefix or name not in _NEVER):
            yield prefix + name
    for name, nested in block.get("block_types", {}).items():
        if prefix.count(".") >= _DEEPEST:
            yield prefix + name
        elif prefix or name not in _NEVER:
            yield from _settable(nested["block"], f"{prefix}{name}.")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        version, resources = asked(find_terraform(Path(folder)), Path(folder))
    FOLDER.mkdir(exist_ok=True)
    TYPES.write_text(types(version, resources))
    ATTRIBUTES.write_text(attributes(version, resources))


if __name__ == "__main__":
    main()
