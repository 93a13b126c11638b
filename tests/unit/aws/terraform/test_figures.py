"""The figures of the five systems' own documents, found in what Terraform plans for them."""

import base64
import json
import re
from typing import Any

import pytest
from tests.support.planned import Planned, Plans

pytestmark = pytest.mark.long  # each system is planned by Terraform


def service(planned: Planned, name: str) -> dict[str, Any]:
    """What a service of ECS is: size, number, scaling. Both colours scale alike."""
    module = f"module.service_{name}."
    task = planned.resources[f"{module}aws_ecs_task_definition.this"]
    scaling = planned.resources[f'{module}aws_appautoscaling_target.this["blue"]']
    policies: dict[str, dict[str, Any]] = {"blue": {}, "green": {}}
    for address, one in planned.of("aws_appautoscaling_policy").items():
        if address.startswith(module):
            metric, _, colour = address.partition('"')[2].strip('"]').partition("-")
            policies[colour][metric] = one["target_tracking_scaling_policy_configuration"][0]
    assert policies["blue"].keys() == policies["green"].keys()
    return {
        "size": (task["cpu"], task["memory"]),
        "desired": planned.resources[f'{module}aws_ecs_service.this["blue"]']["desired_count"],
        "between": (scaling["min_capacity"], scaling["max_capacity"]),
        "targets": {name: one["target_value"] for name, one in policies["blue"].items()},
        "pauses": {
            (one["scale_out_cooldown"], one["scale_in_cooldown"]) for both in policies.values() for one in both.values()
        },
    }


CPU, MEMORY, REQUESTS = "cpu", "memory", "requests"


def only(found: dict[str, Any], **wanted: Any) -> None:
    assert {key: found[key] for key in wanted} == wanted


@pytest.mark.parametrize(
    ("environment", "frontend", "backend"),
    [("dev", (1, (1, 2)), (1, (1, 2))), ("prod", (2, (2, 5)), (2, (2, 6)))],
)
def test_codemate_runs_two_services(plans: Plans, environment: str, frontend: Any, backend: Any) -> None:
    """Half a core and 1 GB, one core and 2 GB; dev 1 to 2, prod 2 to 5 and 2 to 6; CPU 70 %, memory 80 %."""
    planned = plans.of("codemate", environment)
    desired, between = frontend
    only(service(planned, "frontend"), size=("512", "1024"), desired=desired, between=between, targets={CPU: 70})
    desired, between = backend
    only(
        service(planned, "backend"),
        size=("1024", "2048"),
        desired=desired,
        between=between,
        targets={CPU: 70, MEMORY: 80},
    )


def test_codemates_network_is_as_its_team_wants(plans: Plans) -> None:
    """10.0.0.0/16 with .1/.2, .11/.12 and .21/.22; NAT in each zone in prod and one in dev."""
    prod, dev = plans.of("codemate", "prod"), plans.of("codemate", "dev")
    assert prod.one("aws_vpc")["cidr_block"] == "10.0.0.0/16"
    assert {one["cidr_block"] for one in prod.of("aws_subnet").values()} == {
        f"10.0.{part}.0/24" for part in (1, 2, 11, 12, 21, 22)
    }
    assert {one["availability_zone"] for one in prod.of("aws_subnet").values()} == {
        "ap-northeast-2a",
        "ap-northeast-2c",
    }
    assert (len(prod.of("aws_nat_gateway")), len(dev.of("aws_nat_gateway"))) == (2, 1)


def test_codemates_door_is_as_its_team_wants(plans: Plans) -> None:
    """`/api/*` and `/socket.io/*` to the backend, the rest to the frontend; TLS 1.3; silent for 3600 s; drain 300 s."""
    planned = plans.of("codemate", "prod")
    rule = planned.resources['module.alb.aws_lb_listener_rule.this["backend-0"]']
    paths = {path for one in rule["condition"] for pattern in one["path_pattern"] for path in pattern["values"]}
    assert {"/api/*", "/socket.io/*"} <= paths
    call = planned.json["configuration"]["root_module"]["module_calls"]["alb"]["expressions"]
    assert call["default_service"]["constant_value"] == "frontend"
    assert call["rules"]["constant_value"][0]["service"] == "backend"
    listener = planned.resources["module.alb.aws_lb_listener.https[0]"]
    assert listener["ssl_policy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    assert planned.one("aws_lb")["idle_timeout"] == 3600
    groups = planned.of("aws_lb_target_group")
    assert {one["deregistration_delay"] for one in groups.values()} == {"300"}
    assert {(one["port"], one["health_check"][0]["path"]) for one in groups.values()} == {
        (3000, "/api/health"),
        (3001, "/health"),
    }


def test_codemates_database_is_as_its_team_wants(plans: Plans) -> None:
    """Dev db.t4g.micro, 20 GB, 3 days; prod db.t4g.small, 50 to 100 GB, Multi-AZ, 7 days; 03:00 KST is 18:00 UTC."""
    prod, dev = (plans.of("codemate", name).one("aws_db_instance") for name in ("prod", "dev"))
    only(
        dev,
        instance_class="db.t4g.micro",
        allocated_storage=20,
        multi_az=False,
        backup_retention_period=3,
        deletion_protection=False,
    )
    only(
        prod,
        engine="postgres",
        engine_version="17",
        instance_class="db.t4g.small",
        allocated_storage=50,
        max_allocated_storage=100,
        multi_az=True,
        backup_retention_period=7,
        backup_window="18:00-19:00",
        deletion_protection=True,
        skip_final_snapshot=False,
    )


def test_codemates_cache_is_as_its_team_wants(plans: Plans) -> None:
    """Dev one cache.t4g.micro, kept a day; prod cache.t4g.small in cluster mode with a copy, Multi-AZ, kept 5 days."""
    prod, dev = (plans.of("codemate", name).one("aws_elasticache_replication_group") for name in ("prod", "dev"))
    only(dev, node_type="cache.t4g.micro", num_node_groups=1, replicas_per_node_group=0, snapshot_retention_limit=1)
    only(
        prod,
        node_type="cache.t4g.small",
        replicas_per_node_group=1,
        multi_az_enabled=True,
        automatic_failover_enabled=True,
        snapshot_retention_limit=5,
    )
    clusters = [
        plans.of("codemate", name).one("aws_elasticache_parameter_group")["parameter"] for name in ("prod", "dev")
    ]
    assert ["cluster-enabled" in {one["name"] for one in found} for found in clusters] == [True, False]


def test_codemates_buckets_are_as_its_team_wants(plans: Plans) -> None:
    """Files 30 d to Standard-IA, 90 d to Glacier IR, 1 y to Deep Archive, CORS; logs 90 d to Glacier, 1 y gone."""
    planned = plans.of("codemate", "prod")

    def rule(bucket: str) -> dict[str, Any]:
        found = planned.resources[f"module.bucket_{bucket}.aws_s3_bucket_lifecycle_configuration.this"]["rule"][0]
        return dict(found)

    moves = [(one["days"], one["storage_class"]) for one in rule("files")["transition"]]
    assert sorted(moves) == [(30, "STANDARD_IA"), (90, "GLACIER_IR"), (365, "DEEP_ARCHIVE")]
    cors = planned.resources["module.bucket_files.aws_s3_bucket_cors_configuration.this[0]"]["cors_rule"]
    assert cors[0]["allowed_origins"] == ["https://codemate.code1398.io"]
    assert sorted(cors[0]["allowed_methods"]) == ["DELETE", "GET", "POST", "PUT"]
    assert (cors[0]["allowed_headers"], cors[0]["max_age_seconds"]) == (["*"], 3000)
    versioning = planned.resources["module.bucket_files.aws_s3_bucket_versioning.this"]
    assert versioning["versioning_configuration"][0]["status"] == "Enabled"
    assert [(one["days"], one["storage_class"]) for one in rule("logs")["transition"]] == [(90, "GLACIER")]
    assert rule("logs")["expiration"][0]["days"] == 365


def test_codemates_state_is_locked(plans: Plans) -> None:
    """State is in S3, encrypted, one key an environment, with a DynamoDB table that locks it; tags come by default."""
    folder = plans.of("codemate", "prod").folder
    backend = (folder / "backend.tf").read_text()
    for line in ('"s3"', "encrypt        = true", '"codemate-terraform-lock"', '"codemate/prod/terraform.tfstate"'):
        assert line in backend
    providers = (folder / "providers.tf").read_text()
    for line in ('">= 1.5"', '"~> 5.0"', "default_tags"):
        assert line in providers


def test_tiketis_service_is_as_its_team_wants(plans: Plans) -> None:
    """2 vCPU, 4 GB, desired 2, 2 to 10; CPU 70, memory 70, 1000 requests a minute; out after 60 s, in after 300 s."""
    planned = plans.of("tiketi", "prod")
    only(
        service(planned, "api"),
        size=("2048", "4096"),
        desired=2,
        between=(2, 10),
        targets={CPU: 70, MEMORY: 70, REQUESTS: 1000},
        pauses={(60, 300)},
    )
    stickiness = {
        (one["stickiness"][0]["type"], one["stickiness"][0]["cookie_duration"])
        for one in planned.of("aws_lb_target_group").values()
    }
    assert stickiness == {("lb_cookie", 300)}


def test_tiketis_database_is_as_its_team_wants(plans: Plans) -> None:
    """db.t3.medium Multi-AZ, 20 to 50 GB, 7 days 03:00-04:00 KST, Monday 04:00-05:00 KST, parameters, a replica."""
    planned = plans.of("tiketi", "prod")
    only(
        planned.resources["module.database.aws_db_instance.this"],
        engine_version="15",
        instance_class="db.t3.medium",
        multi_az=True,
        storage_type="gp3",
        allocated_storage=20,
        max_allocated_storage=50,
        backup_retention_period=7,
        backup_window="18:00-19:00",
        maintenance_window="sun:19:00-sun:20:00",
    )
    given = {one["name"]: one["value"] for one in planned.one("aws_db_parameter_group")["parameter"]}
    assert given == {
        "rds.force_ssl": "1",
        "timezone": "Asia/Seoul",
        "log_statement": "all",
        "max_connections": "100",
    }
    assert planned.resources["module.database.aws_db_instance.replica[0]"]["instance_class"] == "db.t3.small"


def test_tiketis_cache_is_as_its_team_wants(plans: Plans) -> None:
    """cache.t3.micro in cluster mode: 2 shards of primary and replica, snapshots 3 d 04:00-05:00 KST, volatile-lru."""
    planned = plans.of("tiketi", "prod")
    only(
        planned.one("aws_elasticache_replication_group"),
        node_type="cache.t3.micro",
        num_node_groups=2,
        replicas_per_node_group=1,
        multi_az_enabled=True,
        snapshot_retention_limit=3,
        snapshot_window="19:00-20:00",
    )
    given = {one["name"]: one["value"] for one in planned.one("aws_elasticache_parameter_group")["parameter"]}
    assert given == {"maxmemory-policy": "volatile-lru", "cluster-enabled": "yes"}


def test_tiketis_network_and_chain(plans: Plans) -> None:
    """Public .1/.2, private .11/.12, NAT in each zone; ECS 3001 from the ALB, out to 5432, 6379 and 443."""
    planned = plans.of("tiketi", "prod")
    cidrs = {one["cidr_block"] for one in planned.of("aws_subnet").values()}
    assert {f"10.0.{part}.0/24" for part in (1, 2, 11, 12)} <= cidrs
    assert len(planned.of("aws_nat_gateway")) == 2
    rules = planned.of("aws_vpc_security_group_egress_rule")
    ports = {one["from_port"] for address, one in rules.items() if ".app_to_" in address}
    assert ports == {5432, 6379, 443}
    assert 'module.security_groups.aws_vpc_security_group_ingress_rule.app_from_alb["3001"]' in planned.resources


def test_bluegreens_group_is_as_its_team_wants(plans: Plans) -> None:
    """2 to 6 t3.medium in us-east-1a and b, desired 2, health of the balancer, grace 300 s, 20 GB disks."""
    planned = plans.of("bluegreen", "prod")
    group, template = planned.one("aws_autoscaling_group"), planned.one("aws_launch_template")
    only(
        group,
        min_size=2,
        max_size=6,
        desired_capacity=2,
        health_check_type="ELB",
        health_check_grace_period=300,
    )
    assert template["instance_type"] == "t3.medium"
    assert template["block_device_mappings"][0]["ebs"][0]["volume_size"] == 20
    assert {one["availability_zone"] for one in planned.of("aws_subnet").values()} == {"us-east-1a", "us-east-1b"}


def test_bluegreens_nginx_is_as_its_team_wants(plans: Plans) -> None:
    """Nginx has least_conn over 3001-3004, max_fails=2 fail_timeout=30s, keepalive 32, and answers /health itself."""
    script = user_data(plans.of("bluegreen", "prod"))
    for port in (3001, 3002, 3003, 3004):
        assert f"server 127.0.0.1:{port} max_fails=2 fail_timeout=30s;" in script
    for line in ("least_conn;", "keepalive 32;", "location = /health {", "systemctl enable app@3001 app@3002"):
        assert line in script


def test_bluegreens_deep_check_waits_two_seconds(plans: Plans) -> None:
    """Nginx gives a process 2 s to connect, to take and to answer `/health/deep`, and passes X-Real-IP on."""
    script = user_data(plans.of("bluegreen", "prod"))
    deep = script.partition('location = "/health/deep" {')[2].partition("proxy_pass")[0]
    for limit in ("connect", "send", "read"):
        assert f"proxy_{limit}_timeout 2s;" in deep
    assert "proxy_set_header X-Real-IP $remote_addr;" in script


def test_bluegreens_agent_is_no_root(plans: Plans) -> None:
    """The agent runs as cwagent, and hosts let it read the folders of the logs that it sends on."""
    planned = plans.of("bluegreen", "prod")
    configuration = json.loads(planned.one("aws_ssm_parameter")["value"])
    assert configuration["agent"]["run_as_user"] == "cwagent"
    script = user_data(planned)
    for folder in ("/var/log/nginx", "/opt/bluegreen/logs"):
        assert f"setfacl -R -m u:cwagent:rX,d:u:cwagent:rX '{folder}'" in script
    assert script.index("dnf install -y nginx") < script.index("setfacl"), "the folder of nginx's package is there"


def test_teammoas_door_is_as_its_team_wants(plans: Plans) -> None:
    """Port 8000, /health/, 30/5/2/3, silent for 3600 s, drain 600 s, an application cookie `sessionid` for a day."""
    planned = plans.of("teammoa", "prod")
    assert planned.one("aws_lb")["idle_timeout"] == 3600
    for group in planned.of("aws_lb_target_group").values():
        only(group, port=8000, deregistration_delay="600", load_balancing_algorithm_type="round_robin")
        only(
            group["health_check"][0],
            path="/health/",
            interval=30,
            timeout=5,
            healthy_threshold=2,
            unhealthy_threshold=3,
        )
        only(group["stickiness"][0], type="app_cookie", cookie_name="sessionid", cookie_duration=86400)
    assert 'module.security_groups.aws_vpc_security_group_ingress_rule.app_from_alb["8000"]' in planned.resources
    template = planned.resources["module.asg.aws_launch_template.this"]
    assert template["instance_type"] == "t3.micro"
    assert planned.resources["module.asg.aws_autoscaling_group.this"]["desired_capacity"] == 2


def test_teammoas_nginx_is_as_its_team_wants(plans: Plans) -> None:
    """/nginx-health is nginx's own; /ws/ may be silent for 7 days; /static/ is kept 30 d, /media/ 7 d; port 8000."""
    calls = plans.of("teammoa", "prod").json["configuration"]["root_module"]["module_calls"]
    only(
        calls["asg"]["expressions"]["proxy"]["constant_value"],
        listen=8000,
        health="/nginx-health",
        websockets="/ws/",
        websocket_timeout=7 * 86400,
        fresh={"/static/": 30 * 86400, "/media/": 7 * 86400},
    )


def test_feedbacks_refresh_is_as_its_team_wants(plans: Plans) -> None:
    """Two hosts, one at a time: 50 % stay healthy, 300 s of warmup, checkpoints at 50 and 100 %."""
    planned = plans.of("feedback", "prod")
    group = planned.resources["module.asg.aws_autoscaling_group.this"]
    waits = planned.resources["module.asg.aws_autoscaling_group.green[0]"]
    only(waits, min_size=0, max_size=3, desired_capacity=0)
    only(group, min_size=2, max_size=3, desired_capacity=2)
    only(
        group["instance_refresh"][0]["preferences"][0],
        min_healthy_percentage=50,
        instance_warmup="300",
        checkpoint_percentages=[50, 100],
        auto_rollback=True,
    )


def test_feedbacks_scaling_is_as_its_team_wants(plans: Plans) -> None:
    """CPU 70 % makes a third host, and ten quiet minutes take it away."""
    planned = plans.of("feedback", "prod")
    target = planned.resources['module.asg.aws_autoscaling_policy.cpu["blue"]']["target_tracking_configuration"][0]
    only(target, target_value=70, disable_scale_in=True)
    quiet = planned.resources['module.asg.aws_cloudwatch_metric_alarm.quiet["blue"]']
    assert quiet["period"] * quiet["evaluation_periods"] == 600
    assert quiet["threshold"] == 46  # two hosts then have 69 % each


def test_feedbacks_chain_and_door(plans: Plans) -> None:
    """8080 from the ALB, 3306 from the app, 22 and 9100 as open as their document has them; /actuator/health, 200."""
    planned = plans.of("feedback", "prod")
    rules = planned.of("aws_vpc_security_group_ingress_rule")
    ports = {address.split(".")[3].partition("[")[0]: set[int]() for address in rules}
    for address, one in rules.items():
        ports[address.split(".")[3].partition("[")[0]].add(one["from_port"])
    only(ports, app_from_alb={8080}, database_from_app={3306}, app_open={22, 9100})
    for group in planned.of("aws_lb_target_group").values():
        only(
            group["health_check"][0],
            path="/actuator/health",
            interval=30,
            timeout=5,
            healthy_threshold=2,
            unhealthy_threshold=2,
            matcher="200",
        )


def test_feedbacks_database_outlives_its_host(plans: Plans) -> None:
    """MySQL 8.4 on a host of its own, its data on a volume of its own that leaves a snapshot behind."""
    planned = plans.of("feedback", "prod")
    assert planned.of("aws_db_instance") == {}
    only(planned.one("aws_ebs_volume"), size=20, encrypted=True, final_snapshot=True, type="gp3")
    assert len(planned.of("aws_volume_attachment")) == 1
    assert planned.one("aws_instance")["instance_type"] == "t3.small"


def user_data(planned: Planned) -> str:
    """The script of new hosts with the files it writes. The plan knows it when all that is in it is known."""
    template = planned.one("aws_launch_template")
    if template.get("user_data"):
        script = base64.b64decode(template["user_data"]).decode()
        return script + "".join(base64.b64decode(text).decode() for text in re.findall(r"<<< '([\w+/=]+)'", script))
    pytest.fail(f"the user data is not known before apply: {json.dumps(sorted(template))}")
