"""`crossfade infra bootstrap`."""

import click

from crossfade.cli.call import Call, called


@click.command(epilog="Examples: crossfade infra bootstrap | crossfade infra bootstrap -e prod --json")
@called(file=True, state=False)
def bootstrap(call: Call) -> None:
    """Make the bucket and the table in which Terraform keeps its state, once for all environments.

    The bucket is versioned, encrypted and closed to the public; overwritten states are kept for 90 days. What is there
    already stays as it is: run it again whenever it broke off.
    """
    from crossfade.infra.bootstrap import Place
    from crossfade.infra.bootstrap import bootstrap as make
    from crossfade.infra.environment import tags
    from crossfade.infra.names import lock_table, state_bucket
    from crossfade.spec.load import load

    app = load(call.required(), call.environment)
    shared = {key: value for key, value in tags(app).items() if key != "Environment"}
    place = Place(region=app.cloud.region, bucket=state_bucket(app), table=lock_table(app), tags=shared)
    done = []
    for line in make(place):
        done.append(line)
        click.echo(line, err=call.json)
    data = {"ok": True, "region": place.region, "bucket": place.bucket, "table": place.table, "done": done}
    call.answer(data, f"the state's bucket {place.bucket} and table {place.table} are ready, in {place.region}")
