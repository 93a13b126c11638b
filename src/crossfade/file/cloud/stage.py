"""Whether an environment is production, by its name."""

_NAMES = frozenset({"prod", "production", "prd", "live"})


def is_production(environment: str) -> bool:
    """True for prod and production, also as a part of the name: `prod-eu`, `eu-production`."""
    return not _NAMES.isdisjoint(environment.lower().replace("_", "-").split("-"))
