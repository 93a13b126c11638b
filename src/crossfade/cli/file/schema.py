"""`crossfade schema`: the JSON Schema of the file."""

import json

import click

from crossfade.cli.call import Call, called


@click.command(epilog="Examples: crossfade schema > crossfade.schema.json")
@called(state=False)
def schema(call: Call) -> None:
    """Print the JSON Schema of the file: editors complete keys and mark mistakes with it."""
    from crossfade.file.schema import schema as made

    click.echo(json.dumps(made(), indent=None if call.json else 2))
