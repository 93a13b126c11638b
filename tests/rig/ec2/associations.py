"""State Manager's associations: a document that runs on instances by the clock, and here when somebody says so.

https://docs.aws.amazon.com/systems-manager/latest/userguide/state-manager-associations.html
"""

import uuid
from datetime import UTC, datetime
from typing import Any

from tests.rig.ec2.run_command import RunCommand
from tests.rig.wire import AwsError, Call, Json

_GONE = AwsError("AssociationDoesNotExist", "The specified association does not exist.")


class Associations:
    """Each operation takes a call and returns its answer."""

    def __init__(self, commands: RunCommand) -> None:
        self._commands = commands
        self._known: dict[str, Json] = {}

    def operations(self) -> dict[tuple[str, str], Any]:
        mine = {
            "CreateAssociation": self.create,
            "DescribeAssociation": self.describe,
            "UpdateAssociation": self.update,
            "DeleteAssociation": self.delete,
            "StartAssociationsOnce": self.start,
            "ListTagsForResource": self.tags,
        }
        return {("ssm", name): operation for name, operation in mine.items()}

    async def create(self, call: Call) -> Json:
        """With `ApplyOnlyAtCronInterval` nothing runs before its time."""
        id_ = str(uuid.uuid4())
        self._known[id_] = {**call.params, "AssociationId": id_, "AssociationVersion": "1", "Date": datetime.now(UTC)}
        if not call.params.get("ApplyOnlyAtCronInterval"):
            self._run(id_)
        return {"AssociationDescription": self._shown(id_)}

    async def describe(self, call: Call) -> Json:
        return {"AssociationDescription": self._shown(call.params["AssociationId"])}

    async def update(self, call: Call) -> Json:
        id_ = call.params["AssociationId"]
        self._shown(id_)
        self._known[id_] |= call.params
        return {"AssociationDescription": self._shown(id_)}

    async def delete(self, call: Call) -> Json:
        self._known.pop(call.params["AssociationId"], None)
        return {}

    async def start(self, call: Call) -> Json:
        for id_ in call.params["AssociationIds"]:
            self._shown(id_)
            self._run(id_)
        return {}

    async def tags(self, call: Call) -> Json | None:
        """None where it is something else of Systems Manager's."""
        if call.params["ResourceType"] != "Association":
            return None
        return {"TagList": self._shown(call.params["ResourceId"]).get("Tags") or []}

    def _run(self, id_: str) -> None:
        said = self._known[id_]
        for target in said.get("Targets") or []:
            for instance in target["Values"]:
                self._commands.begin(instance, f"association {said.get('AssociationName') or id_}", said["Parameters"])

    def _shown(self, id_: str) -> Json:
        if id_ not in self._known:
            raise _GONE
        return {**self._known[id_], "Overview": {"Status": "Success", "DetailedStatus": "Success"}}
