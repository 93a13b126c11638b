"""`crossfade infra bootstrap`."""

from typing import TYPE_CHECKING

import click

from crossfade.cli.call import Call, called

if TYPE_CHECKING:
    from crossfade.aws.terraform.bootstrap import Place
    from crossfade.file.model import App


@click.command(epilog="Examples: crossfade infra bootstrap | crossfade infra bootstrap -e prod --json")
@called(file=True, state=False)
def bootstrap(call: Call) -> None:
    """Make the bucket and the table in which Terraform keeps its state, once for all environments that share them.

    The bucket is versioned, encrypted and closed to the public; overwritten states are kept for 90 days. What is there
    already stays as it is: run it again whenever it broke off.
    """
    from crossfade.aws.choose import on_aws
    from crossfade.aws.terraform.bootstrap import bootstrap as make

    apps = on_aws(call.required(), [call.environment])
    places = {(place.region, place.bucket, place.table): place for place in map(_place, apps)}
    done = []
    for place in places.values():
        for line in make(place):
            done.append(line)
            click.echo(line, err=call.json)
    shown = [{"region": region, "bucket": bucket, "table": table} for region, bucket, table in places]
    ready = [f"bucket {bucket} and table {table} in {region} are ready" for region, bucket, table in places]
    call.answer({"ok": True, "places": shown, "done": done}, "\n".join(ready))


def _place(app: "App") -> "Place":
    from crossfade.aws.terraform.bootstrap import Place
    from crossfade.aws.terraform.environment import tags
    from crossfade.aws.terraform.names import lock_table, state_bucket

    shared = {key: value for key, value in tags(app).items() if key != "Environment"}
    return Place(region=app.cloud.region, bucket=state_bucket(app), table=lock_table(app), tags=shared)
