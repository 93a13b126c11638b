"""The names by which visitors reach an environment, and the certificates that those need."""

from crossfade.file.model import App

GLOBAL = "us-east-1"  # where CloudFront takes its certificates from


def site_names(app: App) -> list[str]:
    """Names of the static site."""
    return [app.cloud.domain.name] if app.cloud.domain and app.cloud.site else []


def api_name(app: App) -> str | None:
    """The name of what the services answer: the domain itself, or a name below it when a site has that."""
    domain = app.cloud.domain
    if domain is None or app.cloud.site is None:
        return domain.name if domain else None
    return domain.api or f"api.{domain.name}"


def balancer_names(app: App) -> list[str]:
    """Names whose requests arrive at the load balancer: the services' own, and hosts of their routes in our domain."""
    domain, first = app.cloud.domain, api_name(app)
    if domain is None or first is None:
        return []
    asked = [route.host for service in app.services.values() for route in service.routes if route.host]
    ours = [host for host in asked if host == domain.name or host.endswith(f".{domain.name}")]
    return [name for name in dict.fromkeys([first, *ours]) if name not in site_names(app)]


def behind_cdn(app: App) -> bool:
    """Visitors of services come by CloudFront."""
    return app.cloud.cdn is not None or (app.cloud.site is not None and app.cloud.site.api)


def at_edge(app: App) -> bool:
    """CloudFront answers at all: files of a site, or services."""
    return app.cloud.site is not None or app.cloud.cdn is not None


def edge_names(app: App) -> list[str]:
    """Names that CloudFront answers to: the site's, and the services' own when they stand behind it too."""
    api = api_name(app)
    return [*site_names(app), *([api] if behind_cdn(app) and api else [])]


def managed(app: App) -> bool:
    """True when ACM makes the load balancer's certificate."""
    return app.cloud.domain is not None and app.cloud.certificate in {None, "managed"}


def one_certificate(app: App) -> bool:
    """True where the load balancer's certificate does for CloudFront too: both are in the same region."""
    return managed(app) and at_edge(app) and app.cloud.region == GLOBAL


def given_to_edge(app: App) -> str | None:
    """A certificate of the file that CloudFront can take."""
    given = app.cloud.certificate
    return given if given and given.split(":")[3:4] == [GLOBAL] else None
