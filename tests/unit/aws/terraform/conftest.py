"""One terraform for all tests of this folder, and what they plan: made once, shared, and left to no test to change."""

from collections.abc import Iterator

import pytest
from tests.support.once import shared
from tests.support.planned import Plans
from tests.support.terraform import Terraform, find_terraform, served


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terraform]:
    with served(find_terraform(tmp_path_factory.mktemp("terraform"))) as terraform:
        yield terraform


@pytest.fixture(scope="session")
def plans(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Plans:
    return Plans(terraform, shared(tmp_path_factory) / "environments")
