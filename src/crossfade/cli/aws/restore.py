"""`crossfade restore database -e prod`: a snapshot becomes a database beside the one that serves."""

import asyncio
import re
from typing import TYPE_CHECKING

from crossfade.aws.terraform.guard import Question, SaidBefore
from crossfade.cli.call import Call
from crossfade.cli.confirm import ask
from crossfade.cli.ship.screens import screen
from crossfade.core.errors import WrongInputError

if TYPE_CHECKING:
    from crossfade.file.model import App
    from crossfade.platforms.aws.database.restored import Restored

NAME = "database"
_DATABASE = re.compile(r"[a-z][a-z0-9_]{0,62}")
LOOK = 5.0  # seconds between two looks at a dump that is read


def restore(call: Call, app: "App", store: str | None, *, snapshot: str, name: str, yes: bool) -> None:
    """Nothing of what serves is touched: what its data was is looked at, and then people decide."""
    from crossfade.aws.resources.names import prefix

    database = app.cloud.database
    if store not in {None, NAME} or database is None:
        what = f"{app.environment} has no store {store}" if store else f"{app.environment} has no database"
        raise WrongInputError(what, "what can be restored there is the database of `cloud: {database: ...}`")
    if database.host:
        if database.dumps is None:
            what = f"the database of {app.environment} is on a host of its own and has no dumps"
            raise WrongInputError(what, "`dumps` of `cloud: {database: ...}` writes some")
        asyncio.run(_dumped(call, app, dump=snapshot, name=name, said=SaidBefore(yes=yes)))
        return
    beside = prefix(app)
    made = asyncio.run(
        _restored(call, app, beside, snapshot=snapshot, name=name or f"{beside}-restored", said=SaidBefore(yes=yes))
    )
    told = {name: getattr(made, name) for name in ("name", "snapshot", "host", "port", "secret")}
    call.answer({"restored": told, "beside": beside}, _text(app, beside, made))


async def _restored(call: Call, app: "App", beside: str, *, snapshot: str, name: str, said: SaidBefore) -> "Restored":
    from crossfade.engine.clock import SystemClock
    from crossfade.platforms.aws.clients import Clients
    from crossfade.platforms.aws.database.restored import Restorer

    clients = Clients(app.cloud.region, account=app.cloud.account)
    shown = screen(as_json=call.json)
    try:
        restorer = Restorer(clients, SystemClock())
        if not snapshot:
            known = await restorer.snapshots(beside)
            if not known:
                raise WrongInputError(f"{beside} has no snapshot", "RDS takes one each day where `backups` says so")
            snapshot = known[0]["DBSnapshotIdentifier"]
        text = f"This makes a database {name} from {snapshot}, beside {beside} and paid for as that is. Go on?"
        ask([Question(text, "--yes")], said)
        with shown.doing(f"RDS makes {name} from {snapshot}, which takes minutes"):
            return await restorer.restore(beside, snapshot, name, shown.now)
    finally:
        shown.close()
        await clients.close()


async def _dumped(call: Call, app: "App", *, dump: str, name: str, said: SaidBefore) -> None:
    """The dump of a database on a host of its own becomes another one in the same server."""
    from crossfade.aws.resources.names import identifier, places
    from crossfade.engine.clock import SystemClock
    from crossfade.platforms.aws.clients import Clients
    from crossfade.platforms.aws.database.dumps import Dumps
    from crossfade.platforms.aws.environment import pace

    beside = identifier(app.name)
    into = name or f"{beside}_restored"
    if _DATABASE.fullmatch(into) is None:
        allowed = "allowed: lower-case letters, digits and underscores, beginning with a letter"
        raise WrongInputError(f'--as: found "{into}"', allowed)
    clients, shown = Clients(app.cloud.region, account=app.cloud.account), screen(as_json=call.json)
    try:
        dumps = Dumps(clients, SystemClock(), places(app), LOOK / pace())
        if not dump:
            known = await dumps.names()
            if not known:
                raise WrongInputError(
                    f"{app.environment} has no dump", "one is written each day, and by each migration"
                )
            dump = known[0]
        ask([Question(f"This makes a database {into} from {dump}, beside {beside}. Go on?", "--yes")], said)
        with shown.doing(f"{into} is made from {dump}"):
            host = await dumps.restore(dump, into)
    finally:
        shown.close()
        await clients.close()
    text = (
        f"{into} has the data of {dump}, on the same host as {beside}.\n"
        f"  Nothing uses it yet, and {beside} serves as before. Copy from one to the other what is missing, or have\n"
        f"  the app ask it. `aws ssm start-session --target {host.id}` and `docker exec -it database sh` lead there."
    )
    call.answer({"restored": {"name": into, "dump": dump, "host": host.id}, "beside": beside}, text)


def _text(app: "App", beside: str, made: "Restored") -> str:
    old, environment = f"{beside}-old", app.environment
    rename = "aws rds modify-db-instance --apply-immediately --db-instance-identifier"
    state = f"terraform -chdir=infrastructure/environments/{environment}"
    password = f"its password is in {made.secret}" if made.secret else "its password is the one it had then"
    return "\n".join(
        [
            f"{made.name} has the data of {made.snapshot}: {made.host}:{made.port}, {password}.",
            f"  Nothing uses it yet, and {beside} serves as before. Copy from one to the other what is missing, or let",
            f"  it take the place, which loses what was written to {beside} since:",
            f"    crossfade down -e {environment}",
            f"    {rename} {beside} --new-db-instance-identifier {old}",
            f"    {rename} {made.name} --new-db-instance-identifier {beside}",
            f"    {state} state rm module.database.aws_db_instance.this",
            f"    {state} import module.database.aws_db_instance.this {beside}",
            f"    crossfade infra apply -e {environment} && crossfade deploy -e {environment} --force",
            f"  What is not needed is paid for until `aws rds delete-db-instance --db-instance-identifier {old}`.",
        ]
    )
