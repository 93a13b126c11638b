"""What moto does not have and Terraform asks for: kept as it was said, and given back."""

import re
from itertools import count
from typing import Any

from tests.rig.emulator import Emulator
from tests.rig.rig import ACCOUNT
from tests.rig.wire import AwsError, Call, Json


class ParameterGroups:
    """ElastiCache's: https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CacheParameterGroup.html"""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], Json] = {}
        self._values: dict[tuple[str, str], dict[str, str]] = {}
        self._tags: dict[str, list[Json]] = {}

    async def create(self, call: Call) -> Json:
        name = call.params["CacheParameterGroupName"]
        kept = ("CacheParameterGroupName", "CacheParameterGroupFamily", "Description")
        self._groups[call.region, name] = {
            **{key: call.params[key] for key in kept},
            "IsGlobal": False,
            "ARN": f"arn:aws:elasticache:{call.region}:{ACCOUNT}:parametergroup:{name}",
        }
        self._values[call.region, name] = {}
        self._tags[self._groups[call.region, name]["ARN"]] = call.params.get("Tags") or []
        return {"CacheParameterGroup": self._groups[call.region, name]}

    async def describe(self, call: Call) -> Json:
        wanted = call.params.get("CacheParameterGroupName")
        if wanted:
            return {"CacheParameterGroups": [self._group(call, wanted)]}
        return {"CacheParameterGroups": [one for (region, _), one in self._groups.items() if region == call.region]}

    async def modify(self, call: Call) -> Json:
        name = call.params["CacheParameterGroupName"]
        self._group(call, name)
        said = call.params["ParameterNameValues"]
        self._values[call.region, name] |= {one["ParameterName"]: one["ParameterValue"] for one in said}
        return {"CacheParameterGroupName": name}

    async def parameters(self, call: Call) -> Json:
        name = call.params["CacheParameterGroupName"]
        self._group(call, name)
        values = self._values[call.region, name]
        return {"Parameters": [{"ParameterName": key, "ParameterValue": value} for key, value in values.items()]}

    async def delete(self, call: Call) -> Json:
        self._groups.pop((call.region, call.params["CacheParameterGroupName"]), None)
        return {}

    async def tags(self, call: Call) -> Json | None:
        """None where it is something else of ElastiCache's."""
        name = call.params["ResourceName"]
        return {"TagList": self._tags.get(name, [])} if ":parametergroup:" in name else None

    def _group(self, call: Call, name: str) -> Json:
        if (call.region, name) not in self._groups:
            raise AwsError("CacheParameterGroupNotFound", f"CacheParameterGroup {name} not found.", 404)
        return self._groups[call.region, name]


class Connections:
    """Of pipelines to where code is kept: https://docs.aws.amazon.com/codeconnections/latest/APIReference/Welcome.html"""

    def __init__(self) -> None:
        self._connections: dict[str, Json] = {}
        self._numbers = count(1)

    async def create(self, call: Call) -> Json:
        arn = f"arn:aws:codeconnections:{call.region}:{ACCOUNT}:connection/{next(self._numbers):032x}"
        self._connections[arn] = {
            "ConnectionArn": arn,
            "ConnectionName": call.params["ConnectionName"],
            "ProviderType": call.params.get("ProviderType") or "GitHub",
            "OwnerAccountId": ACCOUNT,
            "ConnectionStatus": "PENDING",  # until somebody agrees to it in a browser
            "Tags": call.params.get("Tags") or [],
        }
        return {"ConnectionArn": arn, "Tags": self._connections[arn]["Tags"]}

    async def get(self, call: Call) -> Json:
        return {"Connection": self._connection(call.params["ConnectionArn"])}

    async def delete(self, call: Call) -> Json:
        self._connections.pop(call.params["ConnectionArn"], None)
        return {}

    async def tags(self, call: Call) -> Json:
        return {"Tags": self._connection(call.params["ResourceArn"])["Tags"]}

    def _connection(self, arn: str) -> Json:
        if arn not in self._connections:
            raise AwsError("ResourceNotFoundException", f"Connection not found: {arn}")
        return self._connections[arn]


class SavedQueries:
    """Of Logs Insights: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_QueryDefinition.html"""

    def __init__(self) -> None:
        self._queries: dict[str, Json] = {}
        self._numbers = count(1)

    async def put(self, call: Call) -> Json:
        name = call.params.get("queryDefinitionId") or f"00000000-0000-4000-8000-{next(self._numbers):012x}"
        kept = ("name", "queryString", "logGroupNames")
        said = {key: call.params[key] for key in kept if key in call.params}
        self._queries[name] = {"queryDefinitionId": name, **said}
        return {"queryDefinitionId": name}

    async def describe(self, call: Call) -> Json:
        prefix = call.params.get("queryDefinitionNamePrefix") or ""
        return {"queryDefinitions": [one for one in self._queries.values() if one["name"].startswith(prefix)]}

    async def delete(self, call: Call) -> Json:
        return {"success": self._queries.pop(call.params["queryDefinitionId"], None) is not None}


class Lifecycles:
    """Snapshots by the clock, which nobody takes: https://docs.aws.amazon.com/dlm/latest/APIReference/Welcome.html"""

    def __init__(self) -> None:
        self._policies: dict[str, Json] = {}

    async def create(self, call: Call) -> Json:
        name = f"policy-{len(self._policies) + 1:017x}"
        kept = ("Description", "State", "ExecutionRoleArn", "PolicyDetails", "Tags")
        arn = f"arn:aws:dlm:{call.region}:{ACCOUNT}:policy/{name}"
        said = {key: call.params[key] for key in kept if key in call.params}
        self._policies[name] = {"PolicyId": name, "PolicyArn": arn, **said}
        return {"PolicyId": name}

    async def get(self, call: Call) -> Json:
        return {"Policy": self._policy(call.params["PolicyId"])}

    async def delete(self, call: Call) -> Json:
        del self._policies[self._policy(call.params["PolicyId"])["PolicyId"]]
        return {}

    async def tags(self, call: Call) -> Json:
        return {"Tags": self._policy(call.params["ResourceArn"].rpartition("/")[2]).get("Tags") or {}}

    def _policy(self, name: str) -> Json:
        if name not in self._policies:
            raise AwsError("ResourceNotFoundException", f"Policy {name} not found", 404)
        return self._policies[name]


class Subscribers:
    """Of budgets' notifications, and their tags: https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/Welcome.html"""

    def __init__(self) -> None:
        self._subscribers: dict[str, list[Json]] = {}
        self._tags: dict[str, list[Json]] = {}

    async def create_budget(self, call: Call) -> None:
        """The emulator's, who forgets the subscribers."""
        name = call.params["Budget"]["BudgetName"]
        self._tags[name] = call.params.get("ResourceTags") or []
        for one in call.params.get("NotificationsWithSubscribers") or []:
            self._subscribers[_key(name, one["Notification"])] = one.get("Subscribers") or []

    async def create_notification(self, call: Call) -> None:
        self._subscribers[_key(call.params["BudgetName"], call.params["Notification"])] = call.params["Subscribers"]

    async def describe(self, call: Call) -> Json:
        key = _key(call.params["BudgetName"], call.params["Notification"])
        return {"Subscribers": self._subscribers.get(key, [])}

    async def tags(self, call: Call) -> Json:
        return {"ResourceTags": self._tags.get(call.params["ResourceARN"].rpartition("/")[2], [])}


def _key(budget: str, notification: Json) -> str:
    kind = [notification["NotificationType"], notification["ComparisonOperator"], f"{notification['Threshold']:g}"]
    return "/".join([budget, *kind, notification.get("ThresholdType") or "PERCENTAGE"])


class ScalableTags:
    """Tags of scalable targets: https://docs.aws.amazon.com/autoscaling/application/APIReference/Welcome.html"""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._tags: dict[tuple[str, str, str], dict[str, str]] = {}

    async def register(self, call: Call) -> None:
        """The emulator's, who forgets the tags."""
        key = call.region, call.params["ResourceId"], call.params["ScalableDimension"]
        self._tags[key] = {**self._tags.get(key, {}), **(call.params.get("Tags") or {})}

    async def list(self, call: Call) -> Json:
        def read(client: Any) -> list[Json]:
            found: list[Json] = client.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
            return found

        for one in await self._emulator.use("application-autoscaling", call.region, read):
            if one["ScalableTargetARN"] == call.params["ResourceARN"]:
                return {"Tags": self._tags.get((call.region, one["ResourceId"], one["ScalableDimension"]), {})}
        raise AwsError("ResourceNotFoundException", "No scalable target found for this ARN")


class Nodes:
    """Cache clusters that a replication group has, which moto names and does not make.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CacheCluster.html
    """

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], Json] = {}

    async def create_group(self, call: Call) -> None:
        """The emulator's, too."""
        self._groups[call.region, call.params["ReplicationGroupId"]] = call.params

    async def describe(self, call: Call) -> Json | None:
        """None where it is a cluster of its own."""
        id_ = call.params.get("CacheClusterId") or ""
        group = self._groups.get((call.region, re.sub(r"(-\d{4})?-\d{3}$", "", id_)))
        return {"CacheClusters": [_node(call.region, id_, group)]} if group else None


def _node(region: str, id_: str, group: Json) -> Json:
    security = [{"SecurityGroupId": one, "Status": "active"} for one in group.get("SecurityGroupIds") or []]
    return {
        "CacheClusterId": id_,
        "ARN": f"arn:aws:elasticache:{region}:{ACCOUNT}:cluster:{id_}",
        "CacheClusterStatus": "available",
        "CacheNodeType": group.get("CacheNodeType"),
        "Engine": group.get("Engine") or "redis",
        "EngineVersion": f"{group.get('EngineVersion') or '7.1'}.0",
        "NumCacheNodes": 1,
        "PreferredMaintenanceWindow": group.get("PreferredMaintenanceWindow") or "sun:05:00-sun:06:00",
        "CacheParameterGroup": {
            "CacheParameterGroupName": group.get("CacheParameterGroupName"),
            "ParameterApplyStatus": "in-sync",
        },
        "CacheSubnetGroupName": group.get("CacheSubnetGroupName"),
        "AutoMinorVersionUpgrade": True,
        "SecurityGroups": security,
        "ReplicationGroupId": group["ReplicationGroupId"],
        "SnapshotRetentionLimit": group.get("SnapshotRetentionLimit") or 0,
        "SnapshotWindow": group.get("SnapshotWindow") or "",
        "TransitEncryptionEnabled": group.get("TransitEncryptionEnabled") or False,
        "AtRestEncryptionEnabled": group.get("AtRestEncryptionEnabled") or False,
    }
