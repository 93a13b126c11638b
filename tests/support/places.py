"""The place of one web service's releases on AWS, as a value: nothing of it is anywhere."""

from crossfade.platforms.aws.place import Colour, Place

NOWHERE = Place(
    key="shop@dev/web",
    cluster="",
    colours=(Colour(name="blue", service="web-blue", group=""), Colour(name="green", service="web-green", group="")),
    container="",
    port=80,
    rules=(),
    listeners=(),
    preview=None,
    balancer="",
    url="",
    launch={},
)
