"""moto's own way from a request to the service that answers it."""

from functools import cache

from botocore.loaders import Loader, create_loader  # type: ignore[import-untyped]
from moto.core import utils
from moto.server import DomainDispatcherApplication, create_backend_app
from tests.rig.tables import quicken


def dispatcher() -> DomainDispatcherApplication:
    """It would look through its folders and all its patterns for each request: a third of what an answer takes."""
    quicken()
    utils.create_loader = models
    made = DomainDispatcherApplication(create_backend_app)
    made.get_backend_for_host = cache(made.get_backend_for_host)  # type: ignore[method-assign]
    return made


@cache
def models() -> Loader:
    """What services can do, read once for moto and for clients: a second for those of a web service alone."""
    return create_loader()
