"""The choice of environments on AWS, of those that a file has."""

from collections.abc import Iterable
from pathlib import Path

from crossfade.core.errors import WrongInputError
from crossfade.file.load import choose, load_every
from crossfade.file.model import App


def on_aws(path: Path, wanted: Iterable[str | None] = ()) -> tuple[App, ...]:
    """The environments that are wanted (None: nobody said), by default all on AWS.

    WrongInputError for one that is not there, or not on AWS.
    """
    apps = load_every(path)
    names = [choose(list(apps), name, str(path)) for name in dict.fromkeys(wanted) if name is not None]
    for name in names:
        if apps[name].platform != "aws":
            raise WrongInputError(f"{name} is not on AWS", f"environments: {{{name}: {{platform: aws}}}}")
    chosen = [apps[name] for name in names] or [app for app in apps.values() if app.platform == "aws"]
    if not chosen:
        raise WrongInputError(f"{path} has no environment on AWS", "environments: {prod: {platform: aws}}")
    return tuple(chosen)


def one_on_aws(path: Path, wanted: str | None = None, *, production: bool = False) -> App:
    """The environment that is wanted, or the only one on AWS, or with `production` the only one that is that too.

    WrongInputError where it could be several.
    """
    apps = on_aws(path, [wanted])
    if production and len(apps) > 1:
        apps = tuple(app for app in apps if app.production) or apps
    if len(apps) > 1:
        names = ", ".join(app.environment for app in apps)
        raise WrongInputError(f"{path} has several environments on AWS: {names}", "say which with -e")
    return apps[0]
