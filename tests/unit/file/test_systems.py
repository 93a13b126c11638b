"""The examples carry the figures of the five teams' documents: one table a system."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from crossfade.file.load import load
from crossfade.file.model import App

EXAMPLES = Path(__file__).parents[3] / "examples"
GIB = 1 << 30
DAY = 86400.0
WORLD = ("0.0.0.0/0",)
ALERTS = {"forecast": 80.0, "actual": 100.0}
ROTATED = ("tiketi/db/password", "tiketi/jwt/secret", "tiketi/redis/password")

# system and environment -> where in the loaded file -> the team's figure. A mapping compares only the keys it has.
FIGURES: dict[tuple[str, str], dict[str, Any]] = {
    ("bluegreen", "prod"): {
        "cloud.region": "us-east-1",
        "cloud.zones": ("a", "b"),
        "cloud.compute": {"kind": "autoscaling", "instance": "t3.medium", "disk": 20 * GIB, "processes": 4},
        "cloud.compute.warmup": 300.0,
        "cloud.compute.proxy": {
            "balance": "least_conn",
            "max_fails": 2,
            "fail_timeout": 30.0,
            "keepalive": 32,
            "health": "/health",
            "health_timeout": 2.0,
        },
        "cloud.compute.metrics": {"namespace": "BlueGreen/Application", "disks": ("/", "/opt"), "every": 60.0},
        "cloud.compute.metrics.logs": {"access": "/var/log/nginx/access.log", "app": "/opt/bluegreen/logs/app.log"},
        "services.web.port": 3001,
        "services.web.replicas": 2,
        "services.web.scale": {"min": 2, "max": 6},
        "services.web.health": {"path": "/health/deep", "interval": 30.0, "timeout": 5.0, "healthy": 2, "unhealthy": 3},
        "services.web.deploy": {"strategy": "canary", "steps": (10, 50, 100), "timeout": 600.0},
        "services.web.deploy.rollback_on": {"error_rate": 0.1, "p95": 0.5},
        "cloud.domain.ttl": 60.0,
        "cloud.pipeline": {"by": ("gitlab", "codedeploy"), "strategy": "codedeploy-only", "approve": True},
        "cloud.pipeline.lifecycle": {
            "application_stop": 300.0,
            "before_install": 300.0,
            "after_install": 600.0,
            "application_start": 300.0,
            "validate_service": 300.0,
        },
        "cloud.pipeline.checks": {"tries": 10, "every": 5.0, "then": "/api/version"},
        "cloud.targets": {"availability": 99.99, "errors": 0.1, "mean": 0.2, "p95": 0.5, "health_check": 0.1},
        "cloud.targets.deploy": 600.0,
        "cloud.targets.recovery": 300.0,
        "cloud.budget.monthly": 100.0,
    },
    ("bluegreen", "dev"): {"services.web.deploy.strategy": "blue-green", "cloud.pipeline.strategy": "hybrid"},
    ("teammoa", "dev"): {
        "cloud.region": "ap-northeast-2",
        "cloud.zones": ("a", "c"),
        "services.web.deploy": {"strategy": "rolling", "min_healthy": 50, "max_surge": 0},
    },
    ("teammoa", "prod"): {
        "services.web.replicas": 2,
        "cloud.compute": {"kind": "autoscaling", "instance": "t3.micro"},
        "cloud.compute.proxy": {
            "health": "/nginx-health",
            "websockets": "/ws/",
            "websocket_timeout": 7 * DAY,
            "fresh": {"/static/": 30 * DAY, "/media/": 7 * DAY},
        },
        "services.web.port": 8000,
        "services.web.health": {"path": "/health/", "interval": 30.0, "timeout": 5.0, "healthy": 2, "unhealthy": 3},
        "services.web.drain": 600.0,
        "services.web.idle_timeout": 3600.0,
        "services.web.sticky": {"cookie": "sessionid", "ttl": DAY},
        "services.web.deploy": {"strategy": "blue-green", "rollback_on": {"error_rate": 1.0, "p95": 0.5}},
        "cloud.load_balancer": {
            "algorithm": "round_robin",
            "tls_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
            "visitors": WORLD,
        },
        "cloud.network.open_ports": (),
        "cloud.certificate": "managed",
        "cloud.database": {"engine": "mysql", "version": "8.4"},
        "cloud.cache.engine": "redis",
        "cloud.buckets": {"backups": {"expire": 30}},
        "cloud.targets": {"p95": 0.5, "errors": 1.0, "requests": 10.0},
        "cloud.usage": {"lcu": 1.0, "egress": 10 * GIB},
    },
    ("tiketi", "prod"): {
        "cloud.region": "ap-northeast-2",
        "cloud.zones": ("a", "c"),
        "cloud.timezone": "Asia/Seoul",
        "cloud.network": {
            "cidr": "10.0.0.0/16",
            "public": ("10.0.1.0/24", "10.0.2.0/24"),
            "private": ("10.0.11.0/24", "10.0.12.0/24"),
            "nat": "per-zone",
        },
        "cloud.domain.name": "tiketi.gg",
        "cloud.site": {"api": True, "expire_old": 30},
        "cloud.site.fresh": {"html": 300.0, "assets": 365 * DAY, "images": 7 * DAY},
        "services.api": {"port": 3001, "replicas": 2, "resources": {"cpu": 2.0, "memory": 4 * GIB}},
        "services.api.scale": {"min": 2, "max": 10, "cpu": 70.0, "memory": 70.0, "requests": 1000},
        "services.api.scale.out_after": 60.0,
        "services.api.scale.in_after": 300.0,
        "services.api.health": {"path": "/health", "interval": 30.0, "timeout": 5.0, "healthy": 2, "unhealthy": 3},
        "services.api.sticky.ttl": 300.0,
        "cloud.database": {
            "engine": "postgres",
            "version": "15",
            "instance": "db.t3.medium",
            "multi_az": True,
            "storage": 20 * GIB,
            "max_storage": 50 * GIB,
            "backups": 7,
            "backup_window": "03:00-04:00",
            "maintenance_window": "mon 04:00-05:00",
            "replica": "db.t3.small",
        },
        "cloud.database.parameters": {"timezone": "Asia/Seoul", "log_statement": "all", "max_connections": "100"},
        "cloud.cache": {
            "engine": "redis",
            "node": "cache.t3.micro",
            "shards": 2,
            "replicas": 1,
            "snapshots": 3,
            "snapshot_window": "04:00-05:00",
            "policy": "volatile-lru",
        },
        "cloud.registry": {"keep": 10, "expire": 30, "immutable": False},
        "cloud.secrets.DB_PASSWORD": {"name": ROTATED[0], "rotate": 90},
        "cloud.secrets.JWT_SECRET": {"name": ROTATED[1], "rotate": 90},
        "cloud.secrets.REDIS_PASSWORD": {"name": ROTATED[2], "rotate": 90},
        "cloud.alarms.0": {"on": "cpu", "limit": 90.0, "stays": 300.0, "severity": "critical"},
        "cloud.alarms.1": {"on": "db-connections", "limit": 90.0, "severity": "critical"},
        "cloud.alarms.2": {"on": "errors", "limit": 10.0, "stays": 60.0, "severity": "critical"},
        "cloud.alarms.3": {"on": "cpu", "limit": 70.0, "stays": 600.0, "severity": "warning"},
        "cloud.alarms.4": {"on": "cache-hit-rate", "limit": 80.0, "severity": "warning"},
        "cloud.alarms.5": {"on": "db-free-storage", "limit": 20.0, "severity": "warning"},
        "cloud.notify": {"critical": ("oncall@tiketi.gg", "+821012345678"), "warning": ("team@tiketi.gg",)},
        "cloud.logs.keep": 30,
        "cloud.tracing": True,
        "cloud.pipeline.branch": "main",
        "cloud.targets": {"availability": 99.95, "p95": 0.15, "requests": 1000.0, "deploy": 180.0},
        "cloud.targets.recovery": 60.0,
        "cloud.targets.data_loss": 0.0,
        "cloud.budget.monthly": 350.0,
    },
    ("tiketi", "dev"): {
        "cloud.database": {"multi_az": False, "replica": None},
        "cloud.logs.keep": 7,
        "cloud.budget.monthly": 100.0,
    },
    ("codemate", "dev"): {
        "cloud.region": "ap-northeast-2",
        "cloud.domain.name": "codemate-dev.code1398.io",
        "cloud.cdn": {
            "bucket": "static",
            "files": {"/_next/static/*": 365 * DAY},
            "never": ("/api/*", "/socket.io/*"),
            "keep": DAY,
            "everywhere": False,
        },
        "cloud.network": {
            "cidr": "10.0.0.0/16",
            "public": ("10.0.1.0/24", "10.0.2.0/24"),
            "private": ("10.0.11.0/24", "10.0.12.0/24"),
            "database": ("10.0.21.0/24", "10.0.22.0/24"),
            "nat": "one",
        },
        "services.frontend": {"port": 3000, "replicas": 1, "resources": {"cpu": 0.5, "memory": GIB}, "drain": 300.0},
        "services.frontend.scale": {"min": 1, "max": 2, "cpu": 70.0},
        "services.frontend.health.path": "/api/health",
        "services.backend": {"port": 3001, "replicas": 1, "resources": {"cpu": 1.0, "memory": 2 * GIB}, "drain": 300.0},
        "services.backend.scale": {"min": 1, "max": 2, "cpu": 70.0, "memory": 80.0},
        "services.backend.health.path": "/health",
        "services.backend.idle_timeout": 3600.0,
        "services.backend.sticky.ttl": DAY,
        "services.backend.routes.0.path": "/api/*",
        "services.backend.routes.1.path": "/socket.io/*",
        "services.frontend.routes.0.path": "/*",
        "cloud.load_balancer.tls_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "cloud.database": {
            "version": "17",
            "instance": "db.t4g.micro",
            "storage": 20 * GIB,
            "multi_az": False,
            "backups": 3,
            "backup_window": "03:00-04:00",
            "tls": True,
        },
        "cloud.cache": {"node": "cache.t4g.micro", "shards": 1, "clustered": False, "replicas": 0, "snapshots": 1},
        "cloud.buckets.files": {
            "versioned": True,
            "cors": ("https://codemate-dev.code1398.io",),
            "cors_methods": ("GET", "PUT", "POST", "DELETE"),
            "cors_kept": 3000.0,
        },
        "cloud.buckets.static": {"versioned": False, "expire_old": 30},
        "cloud.buckets.files.moves.0": {"after": 30, "to": "standard-ia"},
        "cloud.buckets.files.moves.1": {"after": 90, "to": "glacier-ir"},
        "cloud.buckets.files.moves.2": {"after": 365, "to": "deep-archive"},
        "cloud.buckets.logs": {"expire": 365},
        "cloud.buckets.logs.moves.0": {"after": 90, "to": "glacier"},
        "cloud.registry": {"scan": True, "immutable": True, "keep": 10},
        "cloud.pipeline": {"by": ("github", "codepipeline"), "approve": False},
        "cloud.alarms.0": {"on": "cpu", "limit": 80.0, "stays": 300.0},
        "cloud.alarms.1": {"on": "unhealthy-hosts", "limit": 0.0, "stays": 120.0},
        "cloud.alarms.2": {"on": "errors", "limit": 10.0, "stays": 60.0},
        "cloud.alarms.3": {"on": "db-connections", "limit": 80.0, "stays": 300.0},
        "cloud.database.parameters": {"max_connections": "100"},  # of which 80 are 80 %
        "cloud.logs.keep": 7,
        "cloud.budget": ALERTS,
        "cloud.targets": {"recovery": 3600.0, "data_loss": DAY},
    },
    ("codemate", "staging"): {"platform": "aws", "services.backend.replicas": 1, "cloud.network.nat": "one"},
    ("codemate", "prod"): {
        "cloud.network.nat": "per-zone",
        "services.frontend": {"replicas": 2, "scale": {"min": 2, "max": 5, "cpu": 70.0}},
        "services.backend": {"replicas": 2, "scale": {"min": 2, "max": 6, "cpu": 70.0, "memory": 80.0}},
        "services.backend.deploy.strategy": "blue-green",
        "cloud.database": {
            "instance": "db.t4g.small",
            "storage": 50 * GIB,
            "max_storage": 100 * GIB,
            "multi_az": True,
            "backups": 7,
        },
        "cloud.cache": {"node": "cache.t4g.small", "clustered": True, "replicas": 1, "snapshots": 5},
        "cloud.domain.name": "codemate.code1398.io",
        "services.frontend.env": {"NEXTAUTH_URL": "https://codemate.code1398.io"},
        "services.frontend.secrets.0": "NEXTAUTH_SECRET",
        "cloud.pipeline.approve": True,
        "cloud.logs.keep": 30,
        "cloud.budget": ALERTS,
        "cloud.guards": {"cloudtrail": True, "guardduty": True},
    },
    ("feedback", "prod"): {
        "cloud.zones": ("a", "c"),
        "services.web.port": 8080,
        "services.web.replicas": 2,
        "services.web.health": {"path": "/actuator/health", "interval": 30.0, "timeout": 5.0, "codes": "200"},
        "services.web.health.healthy": 2,
        "services.web.health.unhealthy": 2,
        "services.web.deploy": {"strategy": "rolling", "min_healthy": 50, "warmup": 300.0, "checkpoints": (50, 100)},
        "services.web.scale": {"min": 2, "max": 3, "cpu": 70.0, "in_after": 600.0},
        "cloud.compute": {"kind": "autoscaling", "warmup": 300.0},
        "cloud.load_balancer.algorithm": "round_robin",
        "cloud.database": {"engine": "mysql", "host": True},
        "cloud.network.open_ports.0": {"port": 22, "to": WORLD},
        "cloud.network.open_ports.1": {"port": 9100, "to": WORLD},
    },
    ("feedback", "local"): {
        "platform": "local",
        "services.web.health": {"interval": 1.0, "timeout": 1.0, "healthy": 2, "unhealthy": 3},
        "services.web.deploy": {"strategy": "blue-green", "keep_previous": 600.0},
    },
}


@cache
def app(system: str, environment: str) -> App:
    return load(EXAMPLES / system / "crossfade.yaml", environment)


def at(value: Any, where: str) -> Any:
    for key in where.split("."):
        value = value[key] if isinstance(value, dict) else value[int(key)] if key.isdigit() else getattr(value, key)
    return value


def agrees(found: Any, figure: Any) -> bool:
    """Equal, or with equal values under all keys of the figure."""
    if isinstance(figure, dict):
        return all(agrees(at(found, key), value) for key, value in figure.items())
    return bool(found == figure)


@pytest.mark.parametrize(("system", "environment"), FIGURES)
def test_the_figures_of_the_document_are_in_the_file(system: str, environment: str) -> None:
    """What the team wrote down is what the loaded file says."""
    found = app(system, environment)
    figures = FIGURES[system, environment]
    assert {where: at(found, where) for where, figure in figures.items() if not agrees(at(found, where), figure)} == {}


@pytest.mark.parametrize("system", sorted({system for system, _ in FIGURES}))
def test_an_example_has_its_environments(system: str) -> None:
    """This machine by default, dev and prod on AWS; codemate staging too."""
    wanted = {"local": "local", "dev": "aws", "prod": "aws"} | ({"staging": "aws"} if system == "codemate" else {})
    assert {name: app(system, name).platform for name in wanted} == wanted
    assert load(EXAMPLES / system / "crossfade.yaml").environment == "local"
