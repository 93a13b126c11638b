"""`crossfade infra bootstrap`."""

from typing import TYPE_CHECKING

import click

from crossfade.cli.call import Call, called

if TYPE_CHECKING:
    from crossfade.aws.terraform.bootstrap import StatePlace
    from crossfade.file.model import App


@click.command(epilog="Examples: crossfade infra bootstrap | crossfade infra bootstrap -e prod --json")
@called(file=True, state=False)
def bootstrap(call: Call) -> None:
    """Make what Terraform and releases are kept in: its state's bucket and table, and the table of the journal.

    Once for all environments that share them. The bucket is versioned, encrypted and closed to the public; overwritten
    states are kept for 90 days. What is there already stays as it is: run it again whenever it broke off.
    """
    from crossfade.aws.choose import on_aws
    from crossfade.aws.terraform.bootstrap import bootstrap as make

    apps = on_aws(call.required(), [call.environment])
    places = {(one.account, one.region, one.bucket, one.table, one.journal): one for one in map(_place, apps)}
    done = []
    for place in places.values():
        for line in make(place):
            done.append(line)
            click.echo(line, err=call.json)
    shown = [
        {"region": one.region, "bucket": one.bucket, "table": one.table, "journal": one.journal}
        for one in places.values()
    ]
    ready = [
        f"{' and '.join(_for_state(one))} in {one.region} are ready, and {one.journal} for releases"
        for one in places.values()
    ]
    call.answer({"ok": True, "places": shown, "done": done}, "\n".join(ready))


def _for_state(place: "StatePlace") -> list[str]:
    return [f"bucket {place.bucket}", *([f"table {place.table}"] if place.table else [])]


def _place(app: "App") -> "StatePlace":
    from crossfade.aws.places import ENVIRONMENT, Places
    from crossfade.aws.terraform.bootstrap import StatePlace
    from crossfade.aws.terraform.environment import tags
    from crossfade.aws.terraform.names import lock_table, state_bucket

    shared = {key: value for key, value in tags(app).items() if key not in {"Environment", ENVIRONMENT}}
    return StatePlace(
        region=app.cloud.region,
        account=app.cloud.account,
        bucket=state_bucket(app),
        table=None if app.cloud.state.lock == "file" else lock_table(app),
        journal=Places(app.name, app.environment).journal,
        tags=shared,
    )
