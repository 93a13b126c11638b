"""CloudFront's policies, which moto does not have: kept as they were said, and asked when something is cached."""

import uuid
from datetime import UTC, datetime

from tests.rig.wire import AwsError, Call, Json


class Policies:
    """Of one kind, `CachePolicy` say, whose operations differ in nothing else."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._kept: dict[str, Json] = {}

    def operations(self) -> dict[tuple[str, str], object]:
        kind = self._kind
        return {
            ("cloudfront", f"Create{kind}"): self.create,
            ("cloudfront", f"Get{kind}"): self.get,
            ("cloudfront", f"Update{kind}"): self.update,
            ("cloudfront", f"Delete{kind}"): self.delete,
        }

    async def create(self, call: Call) -> Json:
        id_ = str(uuid.uuid4())
        return self._keep(id_, call)

    async def get(self, call: Call) -> Json:
        return self._found(call.params["Id"])

    async def update(self, call: Call) -> Json:
        self._found(call.params["Id"])
        return self._keep(call.params["Id"], call)

    async def delete(self, call: Call) -> Json:
        self._kept.pop(call.params["Id"], None)
        return {}

    def config(self, id_: str) -> Json | None:
        """None where it is one of CloudFront's own."""
        kept = self._kept.get(id_)
        return kept[self._kind][f"{self._kind}Config"] if kept else None

    def _keep(self, id_: str, call: Call) -> Json:
        config = f"{self._kind}Config"
        policy = {"Id": id_, "LastModifiedTime": datetime.now(UTC), config: call.params[config]}
        self._kept[id_] = {self._kind: policy, "ETag": uuid.uuid4().hex[:13].upper()}
        return self._kept[id_]

    def _found(self, id_: str) -> Json:
        if id_ not in self._kept:
            raise AwsError(f"NoSuch{self._kind}", "The specified policy does not exist.", 404)
        return self._kept[id_]
