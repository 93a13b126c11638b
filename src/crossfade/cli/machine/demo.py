"""`crossfade demo`."""

import click

from crossfade.cli.call import Call, called


@click.command(epilog="Examples: crossfade demo | crossfade demo --json")
@called(state=False)
def demo(call: Call) -> int:
    """Watch real releases go out under steady traffic, a bad one take itself back, and nothing get lost.

    Everything happens in a temporary directory on ports of its own, and is gone at the end.
    """
    from crossfade.demo import run

    return run(as_json=call.json)
