"""One terraform for all tests of this folder, and what they plan: made once, shared, and left to no test to change."""

import pytest
from tests.support.once import shared
from tests.support.planned import Plans
from tests.support.terraform import Terraform, find_terraform


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    return find_terraform(tmp_path_factory.mktemp("terraform"))


@pytest.fixture(scope="session")
def plans(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Plans:
    return Plans(terraform, shared(tmp_path_factory) / "environments")
