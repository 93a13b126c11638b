"""The resources that an environment will consist of on AWS, said from the file alone and without Terraform.

Only what costs, endangers or is drawn; addresses and values are those that crossfade's own modules plan.
"""

from collections.abc import Callable, Iterator

from crossfade.aws.resources.areas.compute import compute
from crossfade.aws.resources.areas.data import data
from crossfade.aws.resources.areas.delivery import delivery
from crossfade.aws.resources.areas.doors import doors
from crossfade.aws.resources.areas.network import network
from crossfade.aws.resources.areas.watching import watching
from crossfade.aws.resources.resource import Resource
from crossfade.file.model import App

AREAS: tuple[Callable[[App], Iterator[Resource]], ...] = (network, doors, compute, data, delivery, watching)


def expected(app: App) -> tuple[Resource, ...]:
    """The resources of one environment, in the order in which its main.tf calls for them."""
    return tuple(resource for area in AREAS for resource in area(app))
