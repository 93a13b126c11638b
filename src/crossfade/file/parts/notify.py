"""Channels: who is told how rollouts ended and what is not in order."""

from typing import Annotated, Literal

from pydantic import Field

from crossfade.file.part import Part
from crossfade.file.parts.variables.secrets import VARIABLE

Sort = Literal["succeeded", "failed", "trouble"]
EVERYTHING: tuple[Sort, ...] = ("succeeded", "failed", "trouble")


class Channel(Part):
    """Whoever is told. The address is a secret: the file names the variable that has it."""

    secret: Annotated[str, VARIABLE] = Field(
        description="The variable whose value is the address: `https://...` of a webhook, or as Apprise has it "
        "(`slack://`, `discord://`, `mailto://` ...). It comes from the shell of whoever deploys, or `.env` beside "
        "this file.",
        examples=["OPS_WEBHOOK"],
    )
    on: tuple[Sort, ...] = Field(
        default=EVERYTHING,
        description="What is told: rollouts that `succeeded`, rollouts that `failed` or were taken back, and "
        "`trouble`: jobs and backups that failed, stores that do not start, instances that ended by themselves.",
        examples=[["failed", "trouble"]],
    )
