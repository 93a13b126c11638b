"""Completion by a shell: the names of what runs here, and of what the file has."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from crossfade.cli.client import ControllerClient
from crossfade.core.errors import CrossfadeError
from crossfade.paths import default_state, state_at

_PATIENCE = 1.0  # a shell waits for its completion
_FILE = "crossfade.yaml"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


def services(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Services of the file and of what runs; with a / those of an app."""
    return _of_sections(ctx, ("services",), incomplete)


def parts(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Services and stores of the file and of what runs; with a / those of an app."""
    return _of_sections(ctx, ("services", "stores"), incomplete)


def apps(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Apps that run here."""
    return _beginning((key.split("/")[0] for key in _running(ctx)), incomplete)


def environments(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Environments of the file."""
    return _beginning(_section(ctx, "environments"), incomplete)


def instances(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Instances that run here, and stores."""
    found = _asked(ctx, "/v1/status")
    ids = [one["id"] for service in found.get("services", ()) for one in service["instances"]]
    return _beginning([*ids, *(one["name"] for one in found.get("stores", ()))], incomplete)


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted({name for name in names if name.startswith(incomplete)})


def _of_sections(ctx: click.Context, sections: Sequence[str], incomplete: str) -> list[str]:
    about = _asked(ctx, "/v1/controller")
    keys = [key for section in sections for key in about.get(section, ())]
    if "/" in incomplete:
        return _beginning(keys, incomplete)
    own = [name for section in sections for name in _section(ctx, section)]
    return _beginning([*own, *(key.split("/")[1] for key in keys if "/" in key)], incomplete)


def _running(ctx: click.Context) -> list[str]:
    return list(_asked(ctx, "/v1/controller").get("services", ()))


def _asked(ctx: click.Context, path: str) -> Mapping[str, Any]:
    """What the controller says; nothing where none runs: completing starts none."""
    given = ctx.params.get("state")
    with suppress(CrossfadeError, OSError):
        state = state_at(str(given)) if given else default_state()
        answer: Mapping[str, Any] = ControllerClient(state.socket, patience=_PATIENCE).get(path)
        return answer
    return {}


def _section(ctx: click.Context, section: str) -> list[str]:
    """The names below a section of the file; what can be none is kept from the shell's line."""
    from crossfade.file.reading.document import read

    given = ctx.params.get("file")
    with suppress(CrossfadeError, OSError):
        here = Path.cwd()
        nearest = next((at / _FILE for at in (here, *here.parents) if (at / _FILE).is_file()), None)
        path = Path(given) if given else nearest
        found = read(path, str(path)).get(section) if path else None
        names = found.value if found is not None and isinstance(found.value, dict) else {}
        return [name for name in names if _NAME.fullmatch(name)]
    return []
