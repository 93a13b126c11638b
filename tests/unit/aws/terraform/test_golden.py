import pytest
from tests.unit.aws.terraform.golden import FOLDER, KEPT, written


@pytest.mark.parametrize(("system", "environment"), KEPT, ids=map("-".join, KEPT))
def test_an_environment_is_written_as_it_is_kept(system: str, environment: str) -> None:
    """Every file of an environment is, letter by letter, the one in tests/golden: a change of it is seen and meant."""
    kept = {file.name: file.read_text() for file in (FOLDER / system / environment).iterdir()}
    assert written(system, environment) == kept
