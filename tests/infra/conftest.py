"""Terraform with its provider, and an AWS to apply to: one of each for all tests of a worker."""

from collections.abc import Iterator

import pytest
from tests.infra.cloud import ministack
from tests.support.terraform import Terraform, find_terraform


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    return find_terraform(tmp_path_factory.mktemp("terraform"))


@pytest.fixture(scope="session")
def aws(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What a process needs in its environment to work on it."""
    with ministack(tmp_path_factory.mktemp("aws")) as variables:
        yield variables | terraform.variables
