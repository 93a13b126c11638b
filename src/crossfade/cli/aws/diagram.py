"""`crossfade diagram`: an environment on AWS as a picture."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crossfade.cli.call import Call, called
from crossfade.cli.output import write

if TYPE_CHECKING:
    from crossfade.aws.diagram.scene import Scene


@click.command(
    epilog="Examples: crossfade diagram -e prod -o prod.svg | crossfade diagram -e dev --format mermaid >> README.md"
)
@called(file=True, state=False)
@click.option("--format", "form", type=click.Choice(["mermaid", "svg"]), help="Default: mermaid, or what -o ends in.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it there. Default: print.")
def diagram(call: Call, *, form: str | None, output: Path | None) -> None:
    """Draw an environment: zones, subnets, services, what keeps data, and who may reach whom.

    Made from the file alone, at once. Without --environment the only one on AWS, or production.
    """
    from crossfade.aws.choose import one_on_aws
    from crossfade.aws.diagram.environment import scene

    app = one_on_aws(call.required(), call.environment, production=True)
    form = form or ("svg" if output is not None and output.suffix == ".svg" else "mermaid")
    text = _drawn(scene(app), form)
    if output is None:
        call.answer({"environment": app.environment, "format": form, "text": text}, text.rstrip("\n"))
        return
    write(output, text)
    data = {"environment": app.environment, "format": form, "file": str(output)}
    call.answer(data, f"{output} is drawn: {app.name}, environment {app.environment}")


def _drawn(scene: "Scene", form: str) -> str:
    if form == "mermaid":
        from crossfade.aws.diagram.mermaid import mermaid

        return mermaid(scene)
    from crossfade.aws.diagram.layout import layout
    from crossfade.aws.diagram.svg import svg

    return svg(scene, layout(scene))
