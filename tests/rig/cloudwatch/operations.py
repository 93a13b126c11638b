"""CloudWatch's metrics, by the rig's minutes; alarms and dashboards are the emulator's."""

from collections.abc import Iterable
from datetime import UTC, datetime

from tests.rig.cloudwatch.expression import Points, evaluate
from tests.rig.cloudwatch.minutes import Dimensions, Minutes, Series, statistic
from tests.rig.wire import Call, Json


class CloudWatch:
    """PutMetricData, GetMetricData, GetMetricStatistics and ListMetrics."""

    def __init__(self, minutes: Minutes) -> None:
        self._minutes = minutes

    async def put_metric_data(self, call: Call) -> Json:
        for one in call.params["MetricData"]:
            values = one.get("Values") or [one["Value"]]
            counts = one.get("Counts") or [1] * len(values)
            every = [float(value) for value, count in zip(values, counts, strict=True) for _ in range(int(count))]
            at = _utc(one["Timestamp"]) if one.get("Timestamp") else None
            self._minutes.put(_series({"Namespace": call.params["Namespace"], **one}), *every, at=at)
        return {}

    async def get_metric_statistics(self, call: Call) -> Json:
        said = call.params
        wanted = [*(said.get("Statistics") or []), *(said.get("ExtendedStatistics") or [])]
        start, end = _utc(said["StartTime"]), _utc(said["EndTime"])
        points = []
        for moment, values in self._minutes.read(_series(said), start, end, int(said["Period"])):
            point: Json = {"Timestamp": moment, "Unit": _unit(said["MetricName"])}
            for name in wanted:
                if name.startswith("p"):
                    point.setdefault("ExtendedStatistics", {})[name] = statistic(name, values)
                else:
                    point[name] = statistic(name, values)
            points.append(point)
        return {"Label": said["MetricName"], "Datapoints": points}

    async def get_metric_data(self, call: Call) -> Json:
        said = call.params
        known = self.points(said["MetricDataQueries"], _utc(said["StartTime"]), _utc(said["EndTime"]))
        oldest_first = said.get("ScanBy") == "TimestampAscending"
        results = []
        for query in said["MetricDataQueries"]:
            if query.get("ReturnData", True) is False:
                continue
            points = sorted(known[query["Id"]].items(), reverse=not oldest_first)
            results.append(
                {
                    "Id": query["Id"],
                    "Label": query.get("Label") or _label(query),
                    "Timestamps": [moment for moment, _ in points],
                    "Values": [value for _, value in points],
                    "StatusCode": "Complete",
                }
            )
        return {"MetricDataResults": results, "Messages": []}

    async def list_metrics(self, call: Call) -> Json:
        said = call.params
        asked = [(one["Name"], one.get("Value")) for one in said.get("Dimensions") or []]
        return {
            "Metrics": [
                {
                    "Namespace": namespace,
                    "MetricName": name,
                    "Dimensions": [{"Name": key, "Value": value} for key, value in sorted(of)],
                }
                for namespace, name, of in sorted(self._minutes.known(), key=lambda one: (*one[:2], sorted(one[2])))
                if said.get("Namespace") in (None, namespace)
                and said.get("MetricName") in (None, name)
                and _fits(of, asked)
            ]
        }

    def points(self, queries: list[Json], start: datetime, end: datetime) -> dict[str, Points]:
        """Of each query, by its id; an expression may name those before it."""
        known: dict[str, Points] = {}
        for query in sorted(queries, key=lambda one: bool(one.get("Expression"))):
            if query.get("Expression"):
                known[query["Id"]] = evaluate(query["Expression"], known)
            else:
                stat = query["MetricStat"]
                found = self._minutes.read(_series(stat["Metric"]), start, end, int(stat["Period"]))
                known[query["Id"]] = {moment: statistic(stat["Stat"], values) for moment, values in found}
        return known


def _series(said: Json) -> Series:
    of = frozenset((one["Name"], one["Value"]) for one in said.get("Dimensions") or [])
    return said["Namespace"], said["MetricName"], of


def _fits(of: Dimensions, asked: Iterable[tuple[str, str | None]]) -> bool:
    known = dict(of)
    return all(key in known and value in (None, known[key]) for key, value in asked)


def _utc(moment: datetime) -> datetime:
    """The parser's moments are UTC and do not say so."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _unit(metric: str) -> str:
    return "Seconds" if metric == "TargetResponseTime" else "Count"


def _label(query: Json) -> str:
    return str(query["MetricStat"]["Metric"]["MetricName"] if query.get("MetricStat") else query["Id"])
