"""`crossfade plan`: the decisions of a deploy on a simulated fleet."""

from typing import Any

import click

from crossfade.cli.call import Call, called
from crossfade.cli.client import NotRunningError
from crossfade.cli.text import table


@click.command(epilog="Examples: crossfade plan | crossfade plan web --strategy canary -e prod")
@click.argument("service", required=False)
@called(file=True)
@click.option("--strategy", type=click.Choice(["rolling", "blue-green", "canary", "linear", "recreate"]))
def plan(call: Call, *, service: str | None, strategy: str | None) -> None:
    """Show what a deploy would do, step by step with times, and do nothing.

    The same code decides as in a deploy, on a fleet like the one that runs; how long an app takes to boot is a guess.
    """
    from crossfade.cli.application import read

    _, services = read(call, service, strategy)
    plans = [_plan(call, wanted) for wanted in services]
    text = "\n\n".join(f"{one['service']}\n{_steps(one['steps'])}" for one in plans)
    call.answer({"plans": plans}, text)


def _plan(call: Call, service: Any) -> Any:
    from crossfade.core.wire import encode

    try:
        return call.client().post("/v1/plan", service=encode(service))
    except NotRunningError:
        from crossfade.engine.plan import plan as locally

        return {"service": service.key, "steps": locally(service, None)}


def _steps(steps: list[dict[str, Any]]) -> str:
    return table([(f"{step['at']:8.1f} s", step["do"]) for step in steps])
