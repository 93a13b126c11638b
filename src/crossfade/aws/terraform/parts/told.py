"""Values that Terraform tells services of the places it makes: by `env: {DB_HOST: {from: database.host}}`."""

from typing import Any

from crossfade.aws.resources.names import identifier
from crossfade.aws.terraform.hcl import Expression
from crossfade.aws.terraform.names import REGION, from_module
from crossfade.file.cloud.data import PORTS
from crossfade.file.model import App, Service
from crossfade.file.parts.variables.origin import HIDDEN, OF_BUCKET, origins, texts

USER = "app"  # the owner of the database, as its modules have it


def environment(app: App, service: Service) -> dict[str, Any]:
    """The variables of a service: those of the file, and those that only Terraform knows, but for secrets."""
    known = {name: _value(app, origin) for name, origin in origins(service.env).items() if origin != HIDDEN}
    return {**texts(service.env), **known}


def secrets(app: App, service: Service) -> dict[str, Expression]:
    """Where tasks read what nobody else is to see. RDS keeps name and password as one secret of JSON."""
    database = app.cloud.database
    if database is None:
        return {}
    arn = "module.database.secret_arn"
    read = Expression(arn if database.host else f'"${{{arn}}}:password::"')
    return {name: read for name, origin in origins(service.env).items() if origin == HIDDEN}


def secret_arns(app: App, service: Service) -> list[Expression]:
    """Secrets that a service may read beside those that it names."""
    return [from_module("database", "secret_arn")] if secrets(app, service) else []


def _value(app: App, origin: str) -> Any:
    if origin.startswith(OF_BUCKET):
        return from_module(f"bucket_{identifier(origin.removeprefix(OF_BUCKET))}", "id")
    database, cache = app.cloud.database, app.cloud.cache
    values = {
        "database.host": from_module("database", "address"),
        "database.port": str(database.port) if database else "",
        "database.name": identifier(app.name),
        "database.user": USER,
        "cache.host": from_module("cache", "endpoint"),
        "cache.port": str(PORTS[cache.engine]) if cache else "",
        "region": REGION,
    }
    return values[origin]
