"""The changes of a Terraform plan, as people and programs read them."""

from collections.abc import Iterator
from typing import Any

from crossfade.aws.terraform.changes import SIGNS, Changes, ResourceChange
from crossfade.aws.terraform.guard import losses

SHOWN = 6  # reasons on one line


def summary(changes: Changes) -> str:
    """`12 to add, 1 to change, nothing to destroy`."""
    counts = {"add": changes.add, "change": changes.change, "destroy": changes.destroy}
    return ", ".join(f"{count or 'nothing'} to {verb}" for verb, count in counts.items())


def described(changes: Changes, environment: str) -> str:
    """By module, one line a resource; then what to be careful about."""
    if not changes:
        return "\n".join([f"{environment} is as the file says: nothing to change", *_drift(changes)])
    lines = [f"{environment}: {summary(changes)}"]
    for module, resources in changes.by_module().items():
        lines += ["", module or "environment", *map(_line, resources)]
    lines += ["", f"outputs: {', '.join(changes.outputs)}"] if changes.outputs else []
    lost = [f"  {loss}" for loss in losses(changes)]
    lines += ["", "Data that will be lost:", *lost] if lost else []
    held = [f"  {address}" for address in changes.in_use]
    lines += (
        ["", "AWS will not delete, because the load balancer leads there, and so apply refuses:", *held] if held else []
    )
    return "\n".join([*lines, *_drift(changes)])


def as_json(changes: Changes, environment: str) -> dict[str, Any]:
    """The stable shape of `plan --json`."""
    return {
        **counted(changes, environment),
        "resources": [
            {"address": one.address, "type": one.type, "action": one.action, "why": list(one.why)}
            for one in changes.resources
        ],
        "outputs": list(changes.outputs),
        "drifted": list(changes.drifted),
        "in_use": list(changes.in_use),
        "losses": [{"address": loss.address, "what": loss.what, "fate": loss.fate} for loss in losses(changes)],
    }


def counted(changes: Changes, environment: str) -> dict[str, Any]:
    """What the results of plan, apply and destroy begin with."""
    return {
        "ok": True,
        "environment": environment,
        "add": changes.add,
        "change": changes.change,
        "destroy": changes.destroy,
    }


def _line(change: ResourceChange) -> str:
    why = [*change.why[:SHOWN], *(["..."] if len(change.why) > SHOWN else [])]
    return f"  {SIGNS[change.action]} {change.name}" + (f": {', '.join(why)}" if why else "")


def _drift(changes: Changes) -> Iterator[str]:
    if changes.drifted:
        yield ""
        yield "Changed by something other than Terraform since the last run:"
        yield from (f"  {address}" for address in changes.drifted)
