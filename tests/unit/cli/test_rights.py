"""`crossfade infra rights`: the policy as a person or a tool takes it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from crossfade.cli.main import crossfade
from crossfade.core.errors import WrongInputError

WEB = {"image": "acme/web", "resources": {"cpu": 0.5, "memory": "1G"}}


def run(folder: Path, *words: str, region: str = "ap-northeast-2") -> str:
    environments = {"dev": {}, "prod": {"platform": "aws", "cloud": {"region": region}}}
    file = folder / "crossfade.yaml"
    file.write_text(json.dumps({"app": "shop", "services": {"web": WEB}, "environments": environments}))
    arguments = ["infra", "rights", "-f", str(file), *words]
    return CliRunner().invoke(crossfade, arguments, standalone_mode=False, catch_exceptions=False).output


def test_it_can_be_given_to_iam_as_it_is(tmp_path: Path) -> None:
    """JSON with whole ARNs of this account; without one they are of whichever account it is used in."""
    text = run(tmp_path, "--account", "123456789012")
    assert "${" not in text
    services = next(each for each in json.loads(text)["Statement"] if each["Sid"] == "Services")
    assert services["Resource"] == [
        f"arn:aws:ecs:ap-northeast-2:123456789012:service/shop-prod/shop-prod-web-{colour}"
        for colour in ("blue", "green")
    ]
    assert "arn:aws:ecs:ap-northeast-2:*:cluster/shop-prod" in run(tmp_path)


def test_for_a_program_it_is_under_a_key(tmp_path: Path) -> None:
    """--json has the policy beside the environment that it is for."""
    said = json.loads(run(tmp_path, "--json"))
    assert (said["environment"], said["policy"]["Version"]) == ("prod", "2012-10-17")


@pytest.mark.parametrize("account", ["12", "12345678901x", "١٢٣٤٥٦٧٨٩٠١٢"])
def test_an_account_is_twelve_digits(tmp_path: Path, account: str) -> None:
    """Anything else is refused before a policy is made of it."""
    with pytest.raises(WrongInputError, match="is not an account"):
        run(tmp_path, "--account", account)


def test_an_environment_on_this_machine_needs_none(tmp_path: Path) -> None:
    """Rights are AWS's; elsewhere there are none to print."""
    with pytest.raises(WrongInputError, match="dev is not on AWS"):
        run(tmp_path, "-e", "dev")
