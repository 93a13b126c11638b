"""The reference of the file as Markdown, made from the models: `python -m crossfade.file.reference [--check] PATH`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from crossfade.file.cloud.accept import Acceptance
from crossfade.file.cloud.compute import Compute, HostMetrics, Proxy, Registry, Scale
from crossfade.file.cloud.data import Bucket, Cache, Database, Secret, Transition
from crossfade.file.cloud.delivery import (
    ApplicationLoadBalancer,
    Checks,
    Domain,
    Freshness,
    Lifecycle,
    Move,
    Pipeline,
    Setup,
    Site,
)
from crossfade.file.cloud.deployer import Deployer
from crossfade.file.cloud.model import Guards, TerraformState
from crossfade.file.cloud.network import Network, OpenPort
from crossfade.file.cloud.usage import Other, Usage
from crossfade.file.cloud.watch import Alarm, Budget, Logs, Notify, Targets
from crossfade.file.model import (
    Backup,
    Cloud,
    Deploy,
    Environment,
    File,
    Health,
    Hooks,
    Listen,
    Preview,
    Resources,
    RollbackOn,
    Route,
    Service,
    Static,
    Sticky,
    Store,
    StoreHealth,
    Tls,
)
from crossfade.file.part import Part
from crossfade.file.parts.container import Contained
from crossfade.file.parts.hosts import Outside, Ssh
from crossfade.file.parts.image import Build, Image
from crossfade.file.reading.wording import in_flow
from crossfade.file.units import Notation

_SECTIONS: tuple[tuple[str, type[Part]], ...] = (
    ("The file", File),
    ("services.*", Service),
    ("services.*, with an image", Contained),
    ("services.*.image", Image),
    ("services.*.image.build", Build),
    ("services.*.health", Health),
    ("services.*.routes[]", Route),
    ("services.*.static", Static),
    ("services.*.sticky", Sticky),
    ("services.*.preview", Preview),
    ("services.*.resources", Resources),
    ("services.*.hooks", Hooks),
    ("services.*.scale", Scale),
    ("services.*.deploy", Deploy),
    ("services.*.deploy.rollback_on", RollbackOn),
    ("stores.*", Store),
    ("stores.*.health", StoreHealth),
    ("stores.*.backup", Backup),
    ("ssh", Ssh),
    ("outside", Outside),
    ("listen", Listen),
    ("tls", Tls),
    ("environments.*", Environment),
    ("cloud", Cloud),
    ("cloud.network", Network),
    ("cloud.network.open_ports[]", OpenPort),
    ("cloud.compute", Compute),
    ("cloud.compute.proxy", Proxy),
    ("cloud.compute.metrics", HostMetrics),
    ("cloud.load_balancer", ApplicationLoadBalancer),
    ("cloud.database", Database),
    ("cloud.cache", Cache),
    ("cloud.buckets.*", Bucket),
    ("cloud.buckets.*.moves[]", Transition),
    ("cloud.site", Site),
    ("cloud.site.fresh", Freshness),
    ("cloud.domain", Domain),
    ("cloud.domain.move", Move),
    ("cloud.registry", Registry),
    ("cloud.secrets.*", Secret),
    ("cloud.logs", Logs),
    ("cloud.alarms[]", Alarm),
    ("cloud.notify", Notify),
    ("cloud.budget", Budget),
    ("cloud.targets", Targets),
    ("cloud.guards", Guards),
    ("cloud.pipeline", Pipeline),
    ("cloud.pipeline.setup", Setup),
    ("cloud.pipeline.lifecycle", Lifecycle),
    ("cloud.pipeline.checks", Checks),
    ("cloud.deployer", Deployer),
    ("cloud.state", TerraformState),
    ("cloud.usage", Usage),
    ("cloud.usage.other[]", Other),
    ("cloud.accept[]", Acceptance),
)
_OPENING = """\
# crossfade.yaml

Made from the models by `python -m crossfade.file.reference docs/file-reference.md`; change the models, not this page.

Durations are written `250ms`, `30s`, `5m`, `1h30m`, `1d`, or as plain seconds. Percentages are written `1%`, `0.5%`, or
as a number: 50 is 50 %. Sizes are written `512M` or `1G`, in powers of 1024. A key without a value counts as left out.
Values are read as YAML 1.2 has it: `no`, `on` and `12:30` are text. Unknown keys are refused. Paths begin at the file's
folder, or with `/`, or with `~/` in one's home.

Every value may use variables of the shell and of `.env` beside the file: `${NAME}`, `${NAME:-default}`,
`${NAME:?why it must be set}`, `${NAME:+instead}`, also inside each other; but for secrets, which stand under `secrets`
alone. `$NAME` without braces stays for the shell that runs a command, as do in texts that one runs (commands, builds,
hooks, checks, backups) the variables of the service or store and what only a shell knows, such as `${PATH%%:*}`; a list
meets no shell. `$${` is a literal `${`.
"""


def reference() -> str:
    """The whole page."""
    return "\n".join([_OPENING, *(line for title, part in _SECTIONS for line in _section(title, part))])


def _section(title: str, part: type[Part]) -> Iterator[str]:
    yield f"## {title if title == 'The file' else f'`{title}`'}"
    yield ""
    yield " ".join((part.__doc__ or "").split())
    yield ""
    yield "| key | what it says | default | example |"
    yield "| --- | --- | --- | --- |"
    elsewhere = {name for _, other in _SECTIONS if other in part.__mro__[1:] for name in other.model_fields}
    for name, field in part.model_fields.items():
        if name in elsewhere:
            continue
        example = in_flow((field.examples or [""])[0])
        what = f"{field.description}{_choices(field)}"
        yield f"| `{field.alias or name}` | {what} | {_default(field)} | {_code(example)} |"
    yield ""


def _choices(field: FieldInfo) -> str:
    if get_origin(field.annotation) is not Literal:
        return ""
    return f" One of {', '.join(f'`{word}`' for word in get_args(field.annotation))}."


def _default(field: FieldInfo) -> str:
    """What counts when the key is left out; parts have their own section, and some defaults need a sentence."""
    if field.is_required():
        return "required"
    value = field.default
    if (
        field.default_factory is not None
        or value is None
        or isinstance(value, Part)
        or "Default:" in str(field.description)
    ):
        return ""
    notation = next((item for item in field.metadata if isinstance(item, Notation)), None)
    if isinstance(value, tuple) and notation is None:
        value = [item.model_dump(exclude_none=True) if isinstance(item, Part) else item for item in value]
    return _code(in_flow(notation.write(value) if notation else value))


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|") if text else ""


def main(arguments: list[str]) -> int:
    """Writes the page to PATH; with --check only says (exit code 1) whether the one there is another."""
    paths = [argument for argument in arguments if argument != "--check"]
    if len(paths) != 1:
        sys.stderr.write("usage: python -m crossfade.file.reference [--check] PATH\n")
        return 2
    path = Path(paths[0])
    if "--check" not in arguments:
        path.write_text(reference(), encoding="utf-8")
        return 0
    if path.exists() and path.read_text(encoding="utf-8") == reference():
        return 0
    sys.stderr.write(f"{path} is not what the models say: run python -m crossfade.file.reference {path}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
