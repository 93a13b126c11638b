"""Names and tags of the places that releases go to."""

import pytest

from crossfade.aws.places import APP, COLOUR, ENVIRONMENT, SERVICE, Places, partition

SHOP = Places("shop", "prod")


def test_every_name_begins_with_app_and_environment() -> None:
    """All of them begin with app and environment; both colours share task definitions and logs."""
    assert SHOP.prefix == "shop-prod"
    assert SHOP.coloured("api", "green") == "shop-prod-api-green"
    assert (SHOP.family("api"), SHOP.log_group("api")) == ("shop-prod-api", "/ecs/shop-prod-api")
    assert Places("shop", "dev").journal == SHOP.journal == "shop-crossfade"


@pytest.mark.parametrize(
    ("of", "more"),
    [((), {}), (("api",), {SERVICE: "api"}), (("api", "blue"), {SERVICE: "api", COLOUR: "blue"})],
)
def test_tags_say_whose_a_thing_is(of: tuple[str, ...], more: dict[str, str]) -> None:
    """The environment's are on everything, and what is of one service or colour says which."""
    assert SHOP.tags(*of) == {APP: "shop", ENVIRONMENT: "prod"} | more


@pytest.mark.parametrize(
    ("region", "found"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("ap-northeast-2", "aws")],
)
def test_china_and_the_governments_regions_are_partitions_of_their_own(region: str, found: str) -> None:
    """China and the government's regions are parts of AWS of their own."""
    assert partition(region) == found
