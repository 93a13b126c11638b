"""Building blocks of the areas: resources and their addresses as crossfade's own modules plan them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from crossfade.aws.resources.resource import Resource
from crossfade.file.model import App

_TYPE = re.compile(r"\b(aws_\w+)\.")
GIB = 1 << 30


def planned(address: str, where: str, refers: Mapping[str, tuple[str, ...]] | None = None, **values: Any) -> Resource:
    """A resource; its type is in its address. Values that are None are not known."""
    kind = _TYPE.search(address)
    assert kind is not None, address  # noqa: S101  an address without a type is a mistake in this package
    known = {key: value for key, value in values.items() if value is not None}
    given = {key: addresses for key, addresses in (refers or {}).items() if addresses}
    return Resource(address=address, type=kind[1], values=known, refers=given, where=where)


def counted(address: str, count: int) -> tuple[str, ...]:
    """Addresses of a resource with `count`."""
    return tuple(f"{address}[{index}]" for index in range(count))


def root_disk(size: int) -> dict[str, Any]:
    """What a launch template says of the disk that its hosts start from; it takes truth as text."""
    return {"device_name": "/dev/xvda", "ebs": [{"volume_size": size, "volume_type": "gp3", "encrypted": "true"}]}


def gib(size: int) -> int:
    """Whole GiB, as RDS and EBS take a disk; a part of one is a whole one."""
    return -(-size // GIB)


def subnets(app: App, kind: str) -> tuple[str, ...]:
    return counted(f"module.vpc.aws_subnet.{kind}", len(app.cloud.zones))


def bucket(address: str, where: str, **values: Any) -> Iterator[Resource]:
    """A bucket, closed to the public as all of ours are."""
    yield planned(address, where, **values)
    closed = address.replace("aws_s3_bucket.", "aws_s3_bucket_public_access_block.")
    every = dict.fromkeys(("block_public_acls", "block_public_policy"), True)
    every |= dict.fromkeys(("ignore_public_acls", "restrict_public_buckets"), True)
    yield planned(closed, where, {"bucket": (address,)}, **every)
