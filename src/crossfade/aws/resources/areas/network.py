"""The network: VPC, subnets, NAT, endpoints."""

from collections.abc import Iterator
from typing import Literal

from crossfade.aws.environment import gateway_endpoints, has_data_subnets, interface_endpoints, zones
from crossfade.aws.resources.areas.planned import counted, planned, root_disk, subnets
from crossfade.aws.resources.names import prefix
from crossfade.aws.resources.resource import Resource
from crossfade.file.model import App

VPC = "module.vpc.aws_vpc.this"
_NAT_DISK = 8  # GiB


def network(app: App) -> Iterator[Resource]:
    net, name = app.cloud.network, prefix(app)
    yield planned(VPC, "cloud.network.cidr", cidr_block=net.cidr, tags={"Name": name})
    yield planned("module.vpc.aws_internet_gateway.this", "cloud.network", {"vpc_id": (VPC,)})
    yield from _subnets(app, "public")
    yield from _subnets(app, "private")
    if has_data_subnets(app):
        yield from _subnets(app, "database")
    yield from _nat(app)
    yield from _endpoints(app)
    if net.flow_logs:
        group = "module.vpc.aws_cloudwatch_log_group.flow[0]"
        yield planned(group, "cloud.network.flow_logs", name=f"/vpc/{name}", retention_in_days=app.cloud.logs.keep)
        yield planned(
            "module.vpc.aws_flow_log.this[0]", "cloud.network.flow_logs", {"vpc_id": (VPC,)}, traffic_type="ALL"
        )


def _subnets(app: App, kind: Literal["public", "private", "database"]) -> Iterator[Resource]:
    cidrs = app.cloud.network.subnets(kind, len(app.cloud.zones))
    for zone, cidr, address in zip(zones(app), cidrs, subnets(app, kind), strict=True):
        yield planned(
            address,
            f"cloud.network.{kind}",
            {"vpc_id": (VPC,)},
            cidr_block=cidr,
            availability_zone=zone,
            map_public_ip_on_launch=False,
            tags={"Name": f"{prefix(app)}-{kind}-{zone}", "Tier": kind},
        )


def _nat(app: App) -> Iterator[Resource]:
    net, where = app.cloud.network, "cloud.network.nat"
    count = {"one": 1, "per-zone": len(app.cloud.zones)}.get(net.nat, 0)
    addresses = counted("module.vpc.aws_eip.nat", count)
    for index, address in enumerate(addresses):
        yield planned(address, where, domain="vpc")
        refers = {"allocation_id": (address,), "subnet_id": (subnets(app, "public")[index],)}
        yield planned(f"module.vpc.aws_nat_gateway.this[{index}]", where, refers, connectivity_type="public")
    if net.nat == "instance":
        card = "module.vpc.aws_network_interface.nat[0]"
        yield planned(card, where, {"subnet_id": subnets(app, "public")[:1]}, source_dest_check=False)
        template = "module.vpc.aws_launch_template.nat[0]"
        yield planned(
            template,
            where,
            name=f"{prefix(app)}-nat",
            instance_type=net.nat_instance,
            block_device_mappings=[root_disk(_NAT_DISK)],
            metadata_options=[{"http_tokens": "required"}],
        )
        yield planned("module.vpc.aws_eip.nat_instance[0]", where, {"network_interface": (card,)}, domain="vpc")
        yield planned(
            "module.vpc.aws_instance.nat[0]",
            "cloud.network.nat_instance",
            {"network_interface.network_interface_id": (card,), "launch_template.id": (template,)},
            instance_type=net.nat_instance,
        )


def _endpoints(app: App) -> Iterator[Resource]:
    where, services = "cloud.network.endpoints", f"com.amazonaws.{app.cloud.region}"
    for name in gateway_endpoints(app):
        address, kind = f'module.vpc.aws_vpc_endpoint.gateway["{name}"]', "Gateway"
        yield planned(address, where, {"vpc_id": (VPC,)}, service_name=f"{services}.{name}", vpc_endpoint_type=kind)
    for name in interface_endpoints(app):
        address, kind = f'module.vpc.aws_vpc_endpoint.interface["{name}"]', "Interface"
        refers = {"vpc_id": (VPC,), "subnet_ids": subnets(app, "private")}
        yield planned(address, where, refers, service_name=f"{services}.{name}", vpc_endpoint_type=kind)
