"""Environments to draw: those of the examples, and any that the file can say."""

from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from crossfade.file.load import load
from crossfade.file.model import App

EXAMPLES = Path(__file__).parents[4] / "examples"
SYSTEMS = ("bluegreen", "codemate", "feedback", "teammoa", "tiketi")
NAMES = ("web", "api", "cache", "site", "nat", "app", "end")  # also those that mean something in a picture
ADDRESSES = ("0.0.0.0/0", "203.0.113.0/24", "198.51.100.7/32")


def example(system: str, environment: str = "prod") -> App:
    return load(EXAMPLES / system / "crossfade.yaml", environment)


@st.composite
def apps(draw: st.DrawFn) -> App:
    """Zones, services, NAT, data, buckets, a site, names and open ports in any combination that is taken."""
    kind = draw(st.sampled_from(["fargate", "autoscaling"]))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=1 if kind == "autoscaling" else 4, unique=True))
    nat = draw(st.sampled_from(["one", "per-zone", "instance"] + (["none"] if kind == "autoscaling" else [])))
    zones = draw(st.lists(st.sampled_from("abcdef"), min_size=2, max_size=5, unique=True))
    cloud: dict[str, Any] = {"zones": zones, "network": {"nat": nat}, "compute": {"kind": kind}}
    cloud["network"]["open_ports"] = draw(st.lists(_opened(), max_size=3))
    if draw(st.booleans()):
        cloud["compute"]["processes"] = draw(st.integers(1, 4))
    if draw(st.booleans()):
        cloud["domain"] = {"name": "example.com"}
    if "site" not in names and draw(st.booleans()):  # it is a service of that name
        cloud["site"] = {"api": draw(st.booleans())}
    cloud["database"] = draw(st.none() | _database())
    cloud["cache"] = draw(
        st.none() | st.fixed_dictionaries({"shards": st.integers(1, 3), "replicas": st.integers(0, 5)})
    )
    cloud["buckets"] = {name: {} for name in draw(st.lists(st.sampled_from(["site", "logs", "files"]), unique=True))}
    if "site" not in cloud and draw(st.booleans()):
        files = {"bucket": "files", "files": {"/static/*": "1d"}} if "files" in cloud["buckets"] else {}
        cloud["cdn"] = {"keep": "1h", **files}
    cloud["load_balancer"] = {"visitors": draw(st.lists(st.sampled_from(ADDRESSES), min_size=1, unique=True))}
    cloud["budget"] = draw(st.none() | st.just({"monthly": 100}))
    if draw(st.booleans()):
        by = "codepipeline" if kind == "fargate" else "codedeploy"
        cloud["pipeline"] = {"by": by, "repository": "a/b", "branch": draw(st.sampled_from(["main", '<"&#;>', "end"]))}
    services = {name: draw(_service(index, name)) for index, name in enumerate(names)}
    secrets = sorted({secret for service in services.values() for secret in service.get("secrets", ())})
    cloud["secrets"] = {secret: {} for secret in secrets}
    return App.model_validate(
        {"app": "shop", "environment": "prod", "platform": "aws", "services": services, "cloud": cloud}
    )


def _opened() -> st.SearchStrategy[dict[str, Any]]:
    to = st.lists(st.sampled_from(ADDRESSES), min_size=1, max_size=2, unique=True)
    return st.fixed_dictionaries({"port": st.integers(1, 65535), "to": to})


@st.composite
def _database(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        return {"host": True, "instance": "t3.small", "engine": "mysql", "version": "8.0"}
    replica = draw(st.sampled_from([None, "db.t3.small"]))
    return {"multi_az": draw(st.booleans()), "replica": replica, "public": draw(st.booleans())}


@st.composite
def _service(draw: st.DrawFn, index: int, name: str) -> dict[str, Any]:
    return {
        "image": f"shop/{name}",
        "port": 3000 + index,
        "replicas": draw(st.integers(0, 7)),
        "resources": {"cpu": 0.5, "memory": "1G"},
        "routes": [{"path": f"/{name}/*"}] if index else [{"path": "/*"}],
        "secrets": draw(st.lists(st.sampled_from(["TOKEN", "PASSWORD"]), unique=True)),
    }
