"""Names and tags of the places that releases go to."""

import pytest

from crossfade.aws.places import APP, COLOUR, ENVIRONMENT, SERVICE, Places, partition

SHOP = Places("shop", "prod")


def test_names() -> None:
    """All of them begin with app and environment; both colours share task definitions and logs."""
    assert SHOP.prefix == "shop-prod"
    assert SHOP.coloured("api", "green") == "shop-prod-api-green"
    assert (SHOP.family("api"), SHOP.log_group("api")) == ("shop-prod-api", "/ecs/shop-prod-api")
    assert Places("shop", "dev").journal == SHOP.journal == "shop-crossfade"


@pytest.mark.parametrize(
    ("of", "more"),
    [((), {}), (("api",), {SERVICE: "api"}), (("api", "blue"), {SERVICE: "api", COLOUR: "blue"})],
)
def test_tags(of: tuple[str, ...], more: dict[str, str]) -> None:
    """The environment's are on everything, and what is of one service or colour says which."""
    assert SHOP.tags(*of) == {APP: "shop", ENVIRONMENT: "prod"} | more


@pytest.mark.parametrize(
    ("region", "found"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("ap-northeast-2", "aws")],
)
def test_partitions(region: str, found: str) -> None:
    """China and the government's regions are parts of AWS of their own."""
    assert partition(region) == found
