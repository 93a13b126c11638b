"""Secrets on AWS: a release carries which version of each it was deployed with, and no value ever comes here.

ECS fetches the values when a task starts. Pinned to the version that was current at the deploy, an old release comes
back with its old values; a label of crossfade's keeps that version from being removed, as AWS does with versions that
have none (https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html).
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.platforms.aws.clients import Answer, Check, Clients
from crossfade.platforms.aws.refusals import AwsError

Where = Callable[[str], Awaitable[Mapping[str, str]]]
CURRENT = "AWSCURRENT"
_MANAGED = ":secret:rds!"  # a database knows its newest password only: pinned to an older one a task would not get in


class PinnedSecrets:
    """`Secrets` whose values are references that ECS takes: the mark of a release holds them, and says no value."""

    def mark(self, service: str, values: Mapping[str, str]) -> str:  # noqa: ARG002
        return json.dumps(dict(sorted(values.items())), separators=(",", ":")) if values else ""

    def save(self, service: str, values: Mapping[str, str]) -> str:
        return self.mark(service, values)

    def of(self, release: Release) -> Mapping[str, str]:
        known: dict[str, str] = json.loads(release.secrets) if release.secrets else {}
        return known

    def forget(self, mark: str) -> None:
        """Nothing is kept here; `Pins.let_go` takes the label off."""


class SecretPins:
    """Pins the secrets of services to the versions that are current."""

    def __init__(self, clients: Clients, where: Where) -> None:
        """`where` says of `app/service` what each of its secrets is called, by the variable that it is for."""
        self._clients, self._where = clients, where

    async def current(self, service: Service) -> dict[str, str]:
        """By variable, what ECS is to read: an ARN and a version. WrongInputError names every secret that is empty."""
        if not service.secrets:
            return {}
        where = await self._where(service.key)
        unknown = [name for name in service.secrets if name not in where]
        if unknown:
            raise WrongInputError(
                f"{service.key} asks for secrets that its place does not have: {', '.join(unknown)}",
                "name them under `cloud: secrets` and run `crossfade infra apply`",
            )
        pinned, empty = {}, []
        for name in service.secrets:
            if _MANAGED in where[name]:
                pinned[name] = where[name]
                continue
            version = await self._version(where[name])
            if version:
                pinned[name] = _at(where[name], version)
            else:
                empty.append(name)
        if empty:
            raise WrongInputError(
                f"these secrets of {service.key} have no value yet: {', '.join(empty)}",
                f"`crossfade secrets set {empty[0]} -e {service.environment}` gives it one",
            )
        return pinned

    async def hold(self, release: Release, before: Check) -> None:
        """Keep the versions of a release for as long as it can be started.

        A secret has at most so many labels. A version without one is kept as well, until a hundred newer are there.
        https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
        """
        for secret, version in self._pinned(release):
            try:
                await self._label(secret, _label(release), before, MoveToVersionId=version)
            except AwsError as error:
                if error.code == "LimitExceededException":
                    continue
                held = await self._held_by(secret, _label(release))
                if error.code != "InvalidParameterException" or held in {"", version}:
                    raise
                # By one of that number from before a journal was lost.
                moves = {"RemoveFromVersionId": held, "MoveToVersionId": version}
                await self._label(secret, _label(release), before, **moves)

    async def let_go(self, release: Release, before: Check) -> None:
        """It will not be started any more."""
        for secret, version in self._pinned(release):
            try:
                await self._label(secret, _label(release), before, RemoveFromVersionId=version)
            except AwsError as error:
                if error.code not in {"InvalidParameterException", "ResourceNotFoundException"}:  # it is gone
                    raise

    async def _version(self, reference: str) -> str:
        try:
            answer = await self._clients.call("secretsmanager", "describe_secret", SecretId=_secret(reference))
        except AwsError as error:
            if error.code == "ResourceNotFoundException":
                raise PlatformError(
                    f"secret {_secret(reference)} does not exist", "`crossfade infra apply` makes it"
                ) from error
            raise
        return current_version(answer)

    async def _held_by(self, secret: str, label: str) -> str:
        """The version that has a label; empty where none has."""
        answer = await self._clients.call("secretsmanager", "describe_secret", SecretId=secret)
        return _version_of(answer, label)

    def _pinned(self, release: Release) -> list[tuple[str, str]]:
        references = sorted(set(PinnedSecrets().of(release).values()))
        return [(_secret(one), one.split(":")[9]) for one in references if one.count(":") == 9 and one.split(":")[9]]  # noqa: PLR2004

    async def _label(self, secret: str, label: str, before: Check, **moves: str) -> None:
        await self._clients.call(
            "secretsmanager", "update_secret_version_stage", before, SecretId=secret, VersionStage=label, **moves
        )


def current_version(secret: Answer) -> str:
    """Of what DescribeSecret says: the version that whoever names none is given; empty while there is no value."""
    return _version_of(secret, CURRENT)


def _version_of(secret: Answer, label: str) -> str:
    stages: Mapping[str, Sequence[str]] = secret.get("VersionIdsToStages") or {}
    return next((version for version, names in stages.items() if label in names), "")


def _label(release: Release) -> str:
    return f"crossfade-{release.service.name}-{release.number}"


def _secret(reference: str) -> str:
    """The ARN alone, of what may name a key of its JSON, a label and a version as well."""
    return ":".join(reference.split(":")[:7])


def _at(reference: str, version: str) -> str:
    """`arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME:KEY:LABEL:VERSION`, of which KEY and LABEL may be empty."""
    key = (*reference.split(":")[7:8], "")[0]
    return f"{_secret(reference)}:{key}::{version}"
