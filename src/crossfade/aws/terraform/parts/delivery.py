"""The delivery: names, certificates, and the site at the edge."""

from collections.abc import Iterator
from typing import Any

from crossfade.aws.environment import whole
from crossfade.aws.resources.hostnames import (
    api_name,
    at_edge,
    balancer_names,
    behind_cdn,
    edge_names,
    given_to_edge,
    managed,
    one_certificate,
    site_names,
)
from crossfade.aws.resources.names import identifier
from crossfade.aws.terraform.hcl import Block, Expression, block
from crossfade.aws.terraform.names import MODULES, NAME, from_module
from crossfade.file.cloud.delivery import Cdn, Domain, Site
from crossfade.file.model import App


def delivery(app: App) -> Iterator[Block]:
    cloud, domain, site = app.cloud, app.cloud.domain, app.cloud.site
    if domain:
        yield _dns(app, domain)
        yield from _certificates(app, domain)
        if domain.zone == "create":
            yield _output("name_servers", "Name servers to enter where the domain was bought.", "dns.name_servers")
    if site:
        yield _site(app, site)
        yield _output("site_bucket", "Bucket that the site is uploaded to.", "site.bucket")
        yield _output("site_distribution", "Distribution to invalidate after an upload.", "site.distribution_id")
    if behind_cdn(app):
        yield _cdn(app, cloud.cdn or Cdn(everywhere=site is not None and site.everywhere))
    yield block("output", "urls", description="Where visitors find it.", value=_urls(app))


def _dns(app: App, domain: Domain) -> Block:
    move = domain.move
    return block(
        "module",
        "dns",
        source=f"{MODULES}/delivery/route53",
        zone_name=domain.name,
        create=domain.zone == "create",
        zone_id=domain.zone_id,
        aliases=_aliases(app),
        ttl=whole(domain.ttl),
        move={"name": domain.name, "address": move.old, "share": move.share} if move else None,
    )


def _aliases(app: App) -> dict[str, Any]:
    balancer = {"dns_name": from_module("alb", "dns_name"), "zone_id": from_module("alb", "zone_id")}
    aliases: dict[str, Any] = dict.fromkeys(balancer_names(app), balancer)
    if behind_cdn(app) and (api := api_name(app)):
        aliases[api] = _at_edge("cdn")
    return aliases | dict.fromkeys(site_names(app), _at_edge("site"))


def _at_edge(module: str) -> dict[str, Any]:
    return {"dns_name": from_module(module, "domain_name"), "zone_id": from_module(module, "zone_id"), "ipv6": True}


def _certificates(app: App, domain: Domain) -> Iterator[Block]:
    """One for the load balancer in its region, and one for CloudFront where that takes it from."""
    if managed(app):
        edge = edge_names(app) if one_certificate(app) else []
        yield _certificate("certificate", list(dict.fromkeys([*balancer_names(app), *edge])), domain)
    if at_edge(app) and not one_certificate(app) and given_to_edge(app) is None:
        yield _certificate("edge_certificate", edge_names(app), domain, elsewhere=True)


def _certificate(module: str, names: list[str], domain: Domain, *, elsewhere: bool = False) -> Block:
    return block(
        "module",
        module,
        source=f"{MODULES}/delivery/acm",
        providers={"aws": Expression("aws.global")} if elsewhere else None,
        domain_name=names[0],
        alternative_names=names[1:] or None,
        zone_id=from_module("dns", "zone_id"),
        ttl=whole(domain.ttl),
    )


def _site(app: App, site: Site) -> Block:
    return block(
        "module",
        "site",
        source=f"{MODULES}/delivery/cloudfront",
        name=NAME,
        aliases=site_names(app) or None,
        certificate_arn=_edge_certificate(app),
        single_page=site.app,
        html_seconds=whole(site.fresh.html),
        asset_seconds=whole(site.fresh.assets),
        image_seconds=whole(site.fresh.images),
        old_version_days=site.expire_old,
        price_class=_price_class(everywhere=site.everywhere),
    )


def _cdn(app: App, cdn: Cdn) -> Block:
    """Before the services of a site it keeps nothing: what may be kept are the site's files."""
    api = api_name(app)
    return block(
        "module",
        "cdn",
        source=f"{MODULES}/delivery/cdn",
        name=NAME,
        balancer=from_module("alb", "dns_name"),
        https=app.cloud.https,
        aliases=[api] if api else None,
        certificate_arn=_edge_certificate(app),
        price_class=_price_class(everywhere=cdn.everywhere),
        keep=whole(cdn.keep),
        never=list(cdn.never) or None,
        bucket=from_module(f"bucket_{identifier(cdn.bucket)}", "regional_domain_name") if cdn.bucket else None,
        files={path: whole(kept) for path, kept in cdn.files.items()} or None,
    )


def _price_class(*, everywhere: bool) -> str:
    return "PriceClass_All" if everywhere else "PriceClass_200"


def _edge_certificate(app: App) -> Expression | str | None:
    if app.cloud.domain is None:
        return None
    given = given_to_edge(app)
    return given or from_module("certificate" if one_certificate(app) else "edge_certificate", "arn")


def _urls(app: App) -> list[str | Expression]:
    names = list(dict.fromkeys([*site_names(app), *balancer_names(app)]))
    scheme = "https" if app.cloud.https else "http"
    if names:
        return [f"{scheme}://{name}" for name in names]
    site = ['"https://${module.site.domain_name}"'] if app.cloud.site else []
    return [Expression(text) for text in [*site, f'"{scheme}://${{module.alb.dns_name}}"']]


def _output(name: str, description: str, of: str) -> Block:
    return block("output", name, description=description, value=Expression(f"module.{of}"))
