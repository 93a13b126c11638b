"""CloudWatch's API for what the rig measures itself; all else is the emulator's."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from tests.rig.cloudwatch.expression import Points, evaluate
from tests.rig.cloudwatch.minutes import Dimensions, Minutes, statistic
from tests.rig.emulator import Emulator
from tests.rig.wire import Call, Json

NAMESPACE = "AWS/ApplicationELB"


class CloudWatch:
    """GetMetricData, GetMetricStatistics and ListMetrics of load balancers."""

    def __init__(self, emulator: Emulator, minutes: Minutes) -> None:
        self._emulator, self._minutes = emulator, minutes

    async def get_metric_statistics(self, call: Call) -> Json | None:
        said = call.params
        if said["Namespace"] != NAMESPACE:
            return None
        wanted = [*(said.get("Statistics") or []), *(said.get("ExtendedStatistics") or [])]
        series = said["MetricName"], _dimensions(said.get("Dimensions"))
        points = []
        for moment, values in self._minutes.read(
            series, _utc(said["StartTime"]), _utc(said["EndTime"]), said["Period"]
        ):
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
        start, end = _utc(said["StartTime"]), _utc(said["EndTime"])
        known = await self.series(call.region, said["MetricDataQueries"], start, end)
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

    async def series(self, region: str, queries: list[Json], start: datetime, end: datetime) -> dict[str, Points]:
        """Points of each query, by its id; an expression may name those before it."""
        known = {
            one["Id"]: await self._stat(region, one["MetricStat"], start, end)
            for one in queries
            if one.get("MetricStat")
        }
        waiting = [one for one in queries if one.get("Expression")]
        for query in waiting:
            known[query["Id"]] = evaluate(query["Expression"], known)
        return known

    async def _stat(self, region: str, stat: Json, start: datetime, end: datetime) -> Points:
        metric = stat["Metric"]
        if metric.get("Namespace") == NAMESPACE:
            series = metric["MetricName"], _dimensions(metric.get("Dimensions"))
            found = self._minutes.read(series, start, end, int(stat["Period"]))
            return {moment: statistic(stat["Stat"], values) for moment, values in found}

        def ask(client: Any) -> Json:
            query = {"Id": "asked", "MetricStat": stat}
            told = client.get_metric_data(MetricDataQueries=[query], StartTime=start, EndTime=end)
            result: Json = told["MetricDataResults"][0]
            return result

        told = await self._emulator.use("cloudwatch", region, ask)
        return dict(zip(told["Timestamps"], told["Values"], strict=True))

    async def list_metrics(self, call: Call) -> Json | None:
        said = call.params
        if said.get("Namespace") != NAMESPACE:
            return None
        asked = {(one["Name"], one.get("Value")) for one in said.get("Dimensions") or []}
        names = [said["MetricName"]] if said.get("MetricName") else sorted(self._minutes.names())
        return {
            "Metrics": [
                {
                    "Namespace": NAMESPACE,
                    "MetricName": name,
                    "Dimensions": [{"Name": key, "Value": value} for key, value in sorted(of)],
                }
                for name in names
                for of in self._minutes.known(name)
                if _fits(of, asked)
            ]
        }


def _fits(of: Dimensions, asked: Iterable[tuple[str, str | None]]) -> bool:
    known = dict(of)
    return all(key in known and value in (None, known[key]) for key, value in asked)


def _dimensions(said: list[Json] | None) -> Dimensions:
    return frozenset((one["Name"], one["Value"]) for one in said or [])


def _utc(moment: datetime) -> datetime:
    """The parser's moments are UTC and do not say so."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _unit(metric: str) -> str:
    return "Seconds" if metric == "TargetResponseTime" else "Count"


def _label(query: Json) -> str:
    return str(query["MetricStat"]["Metric"]["MetricName"] if query.get("MetricStat") else query["Id"])
