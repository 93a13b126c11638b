"""Letters in the journal's table: a line each, which its answer is written to and which goes with the answer."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from crossfade.engine.ports.letters import Letter
from crossfade.platforms.aws.refusals import AwsError
from crossfade.platforms.aws.table import RANGE, REFUSED, Item, Table

LINE = "letter "


class DynamoLetters:
    """`Letters` of one environment."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def send(self, letter: Letter) -> None:
        item = {
            **self._table.key(LINE + letter.id),
            "service": {"S": letter.service},
            "token": {"N": str(letter.token)},
            "path": {"S": letter.path},
            "body": {"S": json.dumps(letter.body)},
        }
        await self._table.ask("put_item", Item=item)

    async def waiting(self) -> Sequence[Letter]:
        found = []
        async for items in self._table.pages(LINE, LINE + "~", FilterExpression="attribute_not_exists(taken)"):
            found += [_letter(item) for item in items]
        return found

    async def take(self, letter: Letter) -> bool:
        return await self._if(
            "update_item",
            letter,
            "attribute_exists(line) AND attribute_not_exists(taken)",
            UpdateExpression="SET taken = :true",
            ExpressionAttributeValues={":true": {"BOOL": True}},
        )

    async def answer(self, letter: Letter, answer: Mapping[str, Any]) -> None:
        await self._if(
            "update_item",
            letter,
            "attribute_exists(line)",
            UpdateExpression="SET answer = :answer",
            ExpressionAttributeValues={":answer": {"S": json.dumps(answer)}},
        )

    async def answered(self, letter: Letter) -> Mapping[str, Any] | None:
        item = await self._table.item(LINE + letter.id)
        if item is None or "answer" not in item:
            return None
        await self._table.ask("delete_item", Key=self._table.key(LINE + letter.id))
        answer: Mapping[str, Any] = json.loads(item["answer"]["S"])
        return answer

    async def take_back(self, letter: Letter) -> bool:
        return await self._if("delete_item", letter, "attribute_not_exists(taken)")

    async def _if(self, operation: str, letter: Letter, condition: str, **how: Any) -> bool:
        """Do it where the condition holds, and say whether it did."""
        try:
            await self._table.ask(
                operation, Key=self._table.key(LINE + letter.id), ConditionExpression=condition, **how
            )
        except AwsError as error:
            if error.code == REFUSED:
                return False
            raise
        return True


def _letter(item: Item) -> Letter:
    return Letter(
        id=item[RANGE]["S"].removeprefix(LINE),
        service=item["service"]["S"],
        token=int(item["token"]["N"]),
        path=item["path"]["S"],
        body=json.loads(item["body"]["S"]),
    )
