"""Which environment is drawn."""

from pathlib import Path

from crossfade.core.errors import WrongInputError
from crossfade.file.load import load, load_every
from crossfade.file.model import App


def chosen(path: Path, wanted: str | None) -> App:
    """The one that is wanted, else the only one on AWS, else production. WrongInputError when none is meant."""
    if wanted is not None:
        app = load(path, wanted)
        if app.platform != "aws":
            raise WrongInputError(
                f"{wanted} is not on AWS, so there is nothing to draw", f"environments: {{{wanted}: {{platform: aws}}}}"
            )
        return app
    there = [app for app in load_every(path).values() if app.platform == "aws"]
    if not there:
        raise WrongInputError(f"{path} has no environment on AWS", "environments: {prod: {platform: aws}}")
    meant = there if len(there) == 1 else [app for app in there if app.production]
    if len(meant) != 1:
        names = ", ".join(app.environment for app in there)
        raise WrongInputError(f"{path} has several environments on AWS: {names}", "say which with --environment")
    return meant[0]
