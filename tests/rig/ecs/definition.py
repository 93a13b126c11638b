"""What a task of a definition starts with: its containers' variables, secrets and logs, settled."""

import json
from typing import Any

from tests.rig.emulator import Emulator
from tests.rig.wire import Json


class StartError(Exception):
    """A task that cannot be started; the message is its stoppedReason."""


def merged(container: Json, overrides: Json) -> Json:
    """A container definition with what RunTask says instead."""
    for one in overrides.get("containerOverrides") or []:
        if one.get("name") == container["name"]:
            environment = {
                e["name"]: e for e in [*(container.get("environment") or []), *(one.get("environment") or [])]
            }
            kept = {key: one[key] for key in ("command", "cpu", "memory") if one.get(key)}
            return {**container, **kept, "environment": list(environment.values())}
    return container


async def secrets(emulator: Emulator, region: str, container: Json) -> dict[str, str]:
    """Variables from Secrets Manager and Parameter Store. StartError when one is not there.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html:
    `arn:aws:secretsmanager:region:account:secret:name:json-key:version-stage:version-id`
    """
    found = {}
    for one in container.get("secrets") or []:
        try:
            found[one["name"]] = await _secret(emulator, region, one["valueFrom"])
        except Exception as error:
            raise StartError(
                "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval "
                f"failed: unable to retrieve secret from asm: service call has been retried 1 time(s): {error}"
            ) from error
    return found


async def _secret(emulator: Emulator, region: str, source: str) -> str:
    parts = source.split(":")
    if len(parts) < 7 or parts[2] != "secretsmanager":

        def parameter(client: Any) -> str:
            name = source.rpartition(":parameter")[2]
            return str(client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])

        return await emulator.use("ssm", region, parameter)
    key, stage, version = (*parts[7:], "", "", "")[:3]

    def secret(client: Any) -> str:
        asked = {"SecretId": ":".join(parts[:7])}
        asked |= {"VersionStage": stage} if stage else {}
        asked |= {"VersionId": version} if version else {}
        return str(client.get_secret_value(**asked)["SecretString"])

    text = await emulator.use("secretsmanager", region, secret)
    return str(json.loads(text)[key]) if key else text


def port_of(container: Json) -> int | None:
    """The container port that it listens on, if it listens."""
    mappings = container.get("portMappings") or []
    return int(mappings[0]["containerPort"]) if mappings else None
