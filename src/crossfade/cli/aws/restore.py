"""`crossfade restore database -e prod`: a snapshot becomes a database beside the one that serves."""

import asyncio
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


def restore(call: Call, app: "App", store: str | None, *, snapshot: str, name: str, yes: bool) -> None:
    """Nothing of what serves is touched: what its data was is looked at, and then people decide."""
    from crossfade.aws.resources.names import prefix

    database = app.cloud.database
    if store not in {None, NAME} or database is None or database.host:
        what = f"{app.environment} has no store {store}" if store else f"{app.environment} has no database of RDS"
        raise WrongInputError(what, "what can be restored there is the database of `cloud: {database: ...}`")
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

    clients = Clients(app.cloud.region)
    shown = screen(as_json=call.json)
    try:
        restorer = Restorer(clients, SystemClock())
        if not snapshot:
            known = await restorer.snapshots(beside)
            if not known:
                raise WrongInputError(f"{beside} has no snapshot", "RDS takes one each day where `backups` says so")
            snapshot = known[0]["DBSnapshotIdentifier"]
        text = f"This makes a database {name} of {snapshot}, beside {beside} and paid for as that is. Go on?"
        ask([Question(text, "--yes")], said)
        with shown.doing(f"RDS makes {name} of {snapshot}, which takes minutes"):
            return await restorer.restore(beside, snapshot, name, shown.now)
    finally:
        shown.close()
        await clients.close()


def _text(app: "App", beside: str, made: "Restored") -> str:
    old, environment = f"{beside}-old", app.environment
    rename = "aws rds modify-db-instance --apply-immediately --db-instance-identifier"
    state = f"terraform -chdir=infrastructure/environments/{environment}"
    password = f"its password is in {made.secret}" if made.secret else "its password is the one of then"
    return "\n".join(
        [
            f"{made.name} has the data of {made.snapshot}: {made.host}:{made.port}, {password}.",
            f"  Nothing asks it yet, and {beside} serves as before. Copy from one to the other what is missing, or let",
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
