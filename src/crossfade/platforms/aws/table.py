"""The DynamoDB table of an app, as one environment of it is kept there.

All of an environment has one partition key, and so one place in a policy (`dynamodb:LeadingKeys`) and one order:

    place        line
    shop@prod    event 000000000042     a line of the journal, by its number
    shop@prod    lease shop@prod/web    who may act on a service
    shop@prod    letter 1f3a9c...       an order from another machine to whoever has the lease
"""

from collections.abc import AsyncIterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from crossfade.aws.places import JOURNAL_KEYS
from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.platforms.aws.clients import Clients
from crossfade.platforms.aws.refusals import AwsError, absent

HASH, RANGE = JOURNAL_KEYS
REFUSED = "ConditionalCheckFailedException"

Item = Mapping[str, Any]


class Table:
    """`name` as a journal's, letters' and leases' calls ask for it, all within one `place`."""

    def __init__(self, clients: Clients, name: str, place: str) -> None:
        self._clients, self.name, self.place = clients, name, place

    def key(self, line: str) -> dict[str, Any]:
        return {HASH: {"S": self.place}, RANGE: {"S": line}}

    async def time(self) -> float:
        """What AWS's clock shows, to a second."""
        answer = await self.ask("get_item", Key=self.key("time"))
        return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()

    async def item(self, line: str) -> Item | None:
        """As it is now."""
        found: Item | None = (await self.ask("get_item", Key=self.key(line), ConsistentRead=True)).get("Item")
        return found

    async def pages(self, first: str, last: str, **how: Any) -> AsyncIterator[list[Item]]:
        """The lines between two, both included, a megabyte at a time; `how` narrows it as Query does."""
        values = {":place": {"S": self.place}, ":first": {"S": first}, ":last": {"S": last}}
        asked = {
            **how,
            "KeyConditionExpression": f"{HASH} = :place AND {RANGE} BETWEEN :first AND :last",
            "ExpressionAttributeValues": values | how.get("ExpressionAttributeValues", {}),
            "ConsistentRead": True,
        }
        while True:
            page = await self.ask("query", **asked)
            yield page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    async def still(self) -> None:
        """Wait for calls of this process that nobody waits for any more, to whatever service."""
        await self._clients.still()

    async def ask(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """One call. WrongInputError where `infra bootstrap` has not made the table."""
        if operation != "transact_write_items":
            parameters["TableName"] = self.name
        try:
            return await self._clients.call("dynamodb", operation, **parameters)
        except AwsError as error:
            if error.code == "ResourceNotFoundException":
                raise WrongInputError(
                    *absent(f"table {self.name} for the journal", await self._clients.whereabouts(), "infra bootstrap")
                ) from error
            if error.code == "ValidationException" and "size" in error.cause.lower():
                raise PlatformError(f"a line of the journal is too long for DynamoDB: {error.cause}") from error
            raise
