"""The deployer: who may deploy an environment from outside of AWS."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from crossfade.file.part import Clash, Part
from crossfade.file.units import Text

REPOSITORY = Text(r"[\w.-]+/[\w./-]+", "owner/name of a repository, such as acme/shop")
PRINCIPAL = Text(r"arn:aws[\w-]*:(iam|sts)::\d{12}:\S+", "an ARN such as arn:aws:iam::123456789012:role/release")


class Deployer(Part):
    """A role that may deploy this environment and nothing else: for jobs of CI without any key, or for people."""

    github: Annotated[str, REPOSITORY] | None = Field(
        default=None, description="Repository of GitHub whose jobs take it on. Default: none.", examples=["acme/shop"]
    )
    gitlab: Annotated[str, REPOSITORY] | None = Field(
        default=None, description="Project of GitLab whose jobs take it on. Default: none.", examples=["acme/shop"]
    )
    branch: Annotated[str, Text(r"\S+", "a branch such as main")] = Field(
        default="main", description="The branch those jobs run for.", examples=["main"]
    )
    principals: tuple[Annotated[str, PRINCIPAL], ...] = Field(
        default=(),
        description="People and roles that take it on, by ARN.",
        examples=[["arn:aws:iam::123456789012:role/release"]],
    )
    provider: Literal["create", "existing"] = Field(
        default="create",
        description="Whether the account learns of GitHub or GitLab here, or has before: it may only once.",
        examples=["existing"],
    )

    def impossible(self) -> Iterator[Clash]:
        if not (self.github or self.gitlab or self.principals):
            yield Clash((), "a deployer that nobody can be", "github, gitlab or principals")
