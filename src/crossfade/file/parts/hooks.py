"""Commands of the user's that a rollout runs."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from crossfade.file.command import Command
from crossfade.file.part import Clash, Part


class Hooks(Part):
    """Commands of yours at certain moments. One that fails stops the deploy, and the old release stays."""

    migrate: Annotated[str, Command()] | None = Field(
        default=None,
        description="Runs once per release, before its first instance starts.",
        examples=["python -m app.migrate"],
    )
    schema_: Annotated[str, Command()] | None = Field(
        default=None,
        alias="schema",
        description=(
            "Runs before and after `migrate`, and what it writes is compared: where that is the same, nothing was "
            "migrated, and a rollback past this release is not refused."
        ),
        examples=["python manage.py showmigrations --plan"],
    )
    smoke: Annotated[str, Command()] | None = Field(
        default=None,
        description=(
            "Runs against the new release before it gets traffic: its address is in `$CROSSFADE_URL`, the header that "
            "leads there in `$CROSSFADE_HEADER`."
        ),
        examples=["./smoke.sh"],
    )
    drain: Annotated[str, Command()] | None = Field(
        default=None,
        description="Runs for an instance that gets no new requests any more, before it is stopped.",
        examples=["./finish-jobs.sh"],
    )

    def impossible(self) -> Iterator[Clash]:
        if self.schema_ is not None and self.migrate is None:
            yield Clash(("schema",), "schema without migrate, which it is compared around", "migrate beside it")
