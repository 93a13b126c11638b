"""Hooks and channels that nobody serves in an environment. `check` says so: silence would promise them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crossfade.file.model import App

Todo = tuple[str, str]
"""Where it stands, and what to do about it."""


def hooks(apps: Mapping[str, "App"]) -> list[Todo]:
    """Hooks beside processes of an Auto Scaling group, which a deploy refuses; and elsewhere those for an instance that
    goes, where AWS decides which one that is, and ends it by itself.
    """
    todo = []
    for name, app in apps.items():
        if app.platform != "aws" or app.cloud.compute.kind == "hosts":
            continue
        for service, one in app.services.items():
            named = sorted(one.hooks.model_dump(by_alias=True, exclude_none=True))
            if named and app.cloud.compute.kind == "autoscaling" and one.runtime != "docker":
                what = (
                    f"nothing runs them beside processes of the Auto Scaling group of {name}, so a deploy there is "
                    f"refused: have the pipeline run {', '.join(named)}, and write `hooks: null` in the environment"
                )
            elif "drain" in named:
                what = (
                    f"nobody runs drain in {name}: AWS chooses which instances go and ends them itself. SIGTERM tells "
                    "the app that it ends; write `hooks: {drain: null}` in the environment"
                )
            else:
                continue
            todo.append((f"services.{service}.hooks", what))
    return todo


def channels(apps: Mapping[str, "App"]) -> list[Todo]:
    """Channels of environments whose rollouts no controller of this machine carries: nobody there would tell them."""
    instead = {
        "aws": "whoever deploys to {} carries its rollouts, and tells nobody: have the pipeline tell, "
        "and write cloud.notify for alarms; `notify: null` in the environment says that you know",
        "hosts": "each host of {} has a controller of its own, and none of them tells: have whoever deploys tell; "
        "`notify: null` in the environment says that you know",
    }
    return [
        ("notify", instead[app.platform].format(name))
        for name, app in apps.items()
        if app.notify and app.platform in instead
    ]
