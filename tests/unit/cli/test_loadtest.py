"""Where the load of an environment on AWS goes, unless somebody says."""

import pytest
from tests.unit.aws.terraform.files import app

from crossfade.cli.ship.loadtest import _reached
from crossfade.core.errors import WrongInputError


def test_visitors_go_to_the_services() -> None:
    """Where a site has the domain's own name, they have another one."""
    domain = {"name": "shop.io"}
    assert _reached(app(domain=domain)) == "https://shop.io"
    assert _reached(app(domain=domain, site={})) == "https://api.shop.io"
    with pytest.raises(WrongInputError, match="has no domain"):
        _reached(app())
