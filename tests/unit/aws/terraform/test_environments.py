"""Every environment of every example, as Terraform takes it: formatted, valid, planned, and safe."""

from itertools import product
from typing import Any

import pytest
from tests.support.planned import Planned, Plans, policy, to_plan
from tests.support.terraform import SAID, Terraform

from crossfade.aws.places import COLOURS, PREVIEW, SERVICE, Places
from crossfade.aws.resources.hosts import by_colour, on_hosts
from crossfade.file.model import App, Service


@pytest.fixture(params=to_plan())
def planned(request: pytest.FixtureRequest, plans: Plans) -> Planned:
    return plans.of(*request.param)


def references(planned: Planned, module: str, kind: str, name: str) -> set[str]:
    """Which other resources of its module a resource's arguments come from."""
    calls = planned.json["configuration"]["root_module"]["module_calls"]
    resources = calls[module]["module"]["resources"]
    (found,) = (one for one in resources if (one["type"], one["name"]) == (kind, name))
    return set(_references(found["expressions"]))


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value.get("references", []), *(r for item in value.values() for r in _references(item))]
    return [r for item in value for r in _references(item)] if isinstance(value, list) else []


def test_what_is_written_is_formatted(planned: Planned, terraform: Terraform) -> None:
    """`terraform fmt` changes nothing in what is written."""
    assert terraform.run(planned.folder.parents[1], "fmt", "-check", "-recursive", ok=False).stdout == ""


def test_terraform_warns_of_nothing(planned: Planned) -> None:
    """Nothing that is written is deprecated or doubtful: what is invalid would not be planned."""
    assert "Warning:" not in (planned.folder / SAID).read_text(encoding="utf-8")


def test_everything_is_tagged(planned: Planned) -> None:
    """Each resource that takes tags says whose it is, and the file's own tags are among them."""
    app = planned.app
    wanted = {"Environment": app.environment, "Project": app.name, "ManagedBy": "crossfade", **app.cloud.tags}
    tagged = {address: one["tags_all"] for address, one in planned.resources.items() if "tags_all" in one}
    assert len(tagged) > 20
    assert {address for address, tags in tagged.items() if not wanted.items() <= tags.items()} == set()


def test_the_network_is_the_files(planned: Planned) -> None:
    """The network, its subnets and zones are those of the file, and data has no route to anywhere."""
    network, zones = planned.app.cloud.network, planned.app.cloud.zones
    assert planned.one("aws_vpc")["cidr_block"] == network.cidr
    for kind in ("public", "private"):
        made = [planned.resources[f"module.vpc.aws_subnet.{kind}[{index}]"] for index in range(len(zones))]
        assert [one["cidr_block"] for one in made] == list(network.subnets(kind, len(zones)))
        assert [one["availability_zone"][-1] for one in made] == list(zones)
        assert not any(one["map_public_ip_on_launch"] for one in made)
    gateways = {"one": 1, "per-zone": len(zones), "instance": 0, "none": 0}[network.nat]
    addresses = [address for address in planned.of("aws_eip") if address.startswith("module.vpc.")]
    assert len(planned.of("aws_nat_gateway")) == len(addresses) == gateways
    assert len(planned.of("aws_route")) == 1 + (len(zones) if gateways else 0)
    assert references(planned, "vpc", "aws_route", "nat").isdisjoint({"aws_route_table.database"})


def test_each_link_of_the_chain_names_the_one_before(planned: Planned) -> None:
    """Visitors reach the load balancer, it the application, and that the data; nobody skips a link."""
    app = planned.app
    rules = planned.of("aws_vpc_security_group_ingress_rule")
    open_to_networks = {
        (one["from_port"], one["cidr_ipv4"])
        for address, one in rules.items()
        if address.startswith("module.security_groups.") and one["cidr_ipv4"]
    }
    visitors = {(port, "0.0.0.0/0") for port in ([80, 443] if app.cloud.https else [80])}
    asked = {(one.port, cidr) for one in app.cloud.network.open_ports for cidr in one.to}
    assert open_to_networks == visitors | asked
    for name, before in {"app_from_alb": "alb", "database_from_app": "app", "cache_from_app": "app"}.items():
        used = references(planned, "security_groups", "aws_vpc_security_group_ingress_rule", name)
        assert f"aws_security_group.{before}.id" in used
    for address in planned.of("aws_vpc_security_group_egress_rule"):
        on_host = app.cloud.database is not None and app.cloud.database.host
        assert "cache_to" not in address
        assert "database_to" not in address or on_host


def test_targets_are_asked_as_the_file_says(planned: Planned) -> None:
    """Both colours of each service have its health check, drain and stickiness."""
    for name, service in planned.app.web.items():
        for colour in ("blue", "green"):
            group = planned.resources[f'module.alb.aws_lb_target_group.this["{name}-{colour}"]']
            health = group["health_check"][0]
            assert (health["path"], health["matcher"]) == (service.health.path, service.health.codes)
            assert (health["interval"], health["timeout"]) == (service.health.interval, service.health.timeout)
            assert (health["healthy_threshold"], health["unhealthy_threshold"]) == (
                service.health.healthy,
                service.health.unhealthy,
            )
            assert float(group["deregistration_delay"]) == service.drain
            sticky = [one["cookie_duration"] for one in group.get("stickiness") or [] if one["enabled"]]
            assert sticky == ([service.sticky.ttl] if service.sticky else [])


def test_all_requests_begin_at_blue(planned: Planned) -> None:
    """Listeners and rules send everything to one colour, and leave the weights to deploys."""
    rules = {at: one for at, one in planned.of("aws_lb_listener_rule").items() if ".preview[" not in at}
    listeners = [*planned.of("aws_lb_listener").values(), *rules.values()]
    actions = [action for one in listeners for action in one.get("default_action") or one["action"]]
    weights = [
        sorted(group["weight"] for group in forward["target_group"])
        for action in actions
        for forward in action.get("forward") or []
    ]
    assert weights
    assert {tuple(pair) for pair in weights} == {(0, 100)}
    made = {one["port"]: one for one in planned.of("aws_lb_listener").values()}
    assert set(made) == ({80, 443} if planned.app.cloud.https else {80})
    if planned.app.cloud.https:
        assert made[443]["ssl_policy"] == planned.app.cloud.load_balancer.tls_policy
        assert made[80]["default_action"][0]["redirect"][0]["status_code"] == "HTTP_301"


def test_a_release_is_tried_out_at_the_colour_that_rests(planned: Planned) -> None:
    """Each container service has a rule that asks for a header with a token nobody can guess, before all others."""
    rules = planned.of("aws_lb_listener_rule")
    previews = {one["tags"].get(PREVIEW): one for one in rules.values() if PREVIEW in one["tags"]}
    led = not on_hosts(planned.app) or by_colour(planned.app)
    assert set(previews) == (set(planned.app.web) if led else set())
    for name, rule in previews.items():
        (condition,) = rule["condition"]
        assert condition["http_header"][0]["http_header_name"] == planned.app.services[name].preview.header
        assert "values" not in condition["http_header"][0]  # drawn when it is made
        assert rule["priority"] < min(
            (one["priority"] for one in rules.values() if SERVICE in one["tags"]), default=100
        )


def test_a_deploy_finds_what_is_its_own(planned: Planned) -> None:
    """Services, target groups and rules say by tags whose they are, and nothing else does."""
    app, found = planned.app, Places(planned.app.name, planned.app.environment)
    kinds = {"aws_lb_target_group": app.web, **({} if on_hosts(app) else {"aws_ecs_service": app.services})}
    for kind, named in kinds.items():
        wanted = {found.coloured(*pair): found.tags(*pair) for pair in product(named, COLOURS)}
        own = {one["name"]: one["tags_all"] for one in planned.of(kind).values()}
        assert set(own) == set(wanted)
        assert all(wanted[name].items() <= tags.items() for name, tags in own.items())
    led = {
        one["tags"].get(SERVICE)
        for kind in ("aws_lb_listener", "aws_lb_listener_rule")
        for one in planned.of(kind).values()
        if one.get("tags")
    }
    assert led - {None} == set(app.web)


def test_one_colour_runs_and_nothing_but_a_deploy_goes_back(planned: Planned) -> None:
    """The tasks of each service are blue's; ECS gives up what never gets healthy, and brings no older release."""
    for one in planned.of("aws_ecs_service").values():
        assert one["deployment_circuit_breaker"] == [{"enable": True, "rollback": False}]
        assert bool(one.get("health_check_grace_period_seconds")) is bool(one["load_balancer"])
    counts = sorted(one["desired_count"] for one in planned.of("aws_ecs_service").values())
    assert counts == sorted(
        [
            *(one.replicas if one.kind == "web" else 0 for one in _containers(planned.app)),
            *(0 for _ in _containers(planned.app)),
        ]
    )


def _containers(app: App) -> list[Service]:
    return [] if on_hosts(app) else list(app.services.values())


def test_nothing_registers_before_a_listener_leads_there(planned: Planned) -> None:
    """Services get their target group only once listeners and rules are there: ECS refuses it before."""
    outputs = planned.json["configuration"]["root_module"]["module_calls"]["alb"]["module"]["outputs"]
    wanted = {f"aws_lb_{each}" for each in ("listener.http", "listener.https", "listener_rule.this")}
    wanted.add("aws_lb_listener_rule.preview")
    assert set(outputs["target_groups"]["depends_on"]) == wanted


def test_data_is_encrypted_private_and_kept(planned: Planned) -> None:
    """Databases, caches, disks and buckets are encrypted; nothing is public; what matters is protected."""
    database = planned.app.cloud.database
    for address, one in planned.of("aws_db_instance").items():
        assert one["storage_encrypted"]
        assert one["storage_type"] == "gp3"
        assert not one["publicly_accessible"]
        if address.endswith(".this"):
            assert database is not None
            assert one["manage_master_user_password"]
            assert one["deletion_protection"] is database.protected
            assert one["skip_final_snapshot"] is not database.protected
    for group in planned.of("aws_db_parameter_group").values():
        forced = {one["name"]: one["value"] for one in group["parameter"]}
        assert "1" in {forced.get("rds.force_ssl"), forced.get("require_secure_transport")}
    for one in planned.of("aws_elasticache_replication_group").values():
        assert one["at_rest_encryption_enabled"] in {True, "true"}
        assert one["transit_encryption_enabled"]
        assert "auth_token" not in one or one["auth_token"] is None
    assert all(one["encrypted"] for one in planned.of("aws_ebs_volume").values())
    assert len(planned.of("aws_s3_bucket_public_access_block")) == len(planned.of("aws_s3_bucket"))
    assert all(one["restrict_public_buckets"] for one in planned.of("aws_s3_bucket_public_access_block").values())
    assert len(planned.of("aws_s3_bucket_server_side_encryption_configuration")) == len(planned.of("aws_s3_bucket"))
    assert not any(one["force_destroy"] for one in planned.of("aws_s3_bucket").values())


def test_machines_give_no_keys_to_whoever_asks(planned: Planned) -> None:
    """Every launch template wants IMDSv2 and has no password or key pair; disks are encrypted."""
    for one in planned.of("aws_launch_template").values():
        assert one["metadata_options"][0]["http_tokens"] == "required"
        assert one["key_name"] is None
        assert all(disk["ebs"][0]["encrypted"] in {True, "true"} for disk in one.get("block_device_mappings") or ())


def test_no_secret_value_is_in_the_plan(planned: Planned) -> None:
    """Secrets have names and no values: nothing of what they hold is in a plan or a state."""
    assert planned.of("aws_secretsmanager_secret_version") == {}
    assert not [one for one in planned.of("aws_db_instance").values() if one.get("password")]


def test_logs_do_not_stay_for_ever(planned: Planned) -> None:
    """Each log group has the file's retention."""
    days = {one["retention_in_days"] for one in planned.of("aws_cloudwatch_log_group").values()}
    assert days == {planned.app.cloud.logs.keep}


def test_images_are_kept_as_the_file_says(planned: Planned) -> None:
    """Repositories scan, forbid or allow moving tags, and keep the newest images."""
    registry = planned.app.cloud.registry
    for one in planned.of("aws_ecr_repository").values():
        assert one["image_tag_mutability"] == ("IMMUTABLE" if registry.immutable else "MUTABLE")
        assert one["image_scanning_configuration"][0]["scan_on_push"] is registry.scan
    for one in planned.of("aws_ecr_lifecycle_policy").values():
        counts = {rule["selection"]["countType"]: rule["selection"]["countNumber"] for rule in policy(one)["rules"]}
        assert counts == {"sinceImagePushed": registry.expire, "imageCountMoreThan": registry.keep}
