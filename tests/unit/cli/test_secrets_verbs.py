"""`crossfade secrets`: values that reach Secrets Manager and nothing else."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.support.in_moto import InMoto, in_moto
from tests.support.moto import REGION

from crossfade.cli.main import crossfade
from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.platforms.aws.vault import MOST

VALUE = "s3cr3t of the shop"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMoto]:
    with in_moto() as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
        yield aws


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    web = {"image": "acme/web", "resources": {"cpu": 0.5, "memory": "1G"}, "secrets": ["TOKEN"]}
    cloud = {"region": REGION, "secrets": {"TOKEN": {}, "SALT": {"name": "shop/salt"}}}
    file = {"app": "shop", "services": {"web": web}, "environments": {"prod": {"platform": "aws", "cloud": cloud}}}
    (tmp_path / "crossfade.yaml").write_text(json.dumps(file))
    return tmp_path


def run(folder: Path, *words: str, said: str | bytes = "") -> Result:
    arguments = ["secrets", *words, "-e", "prod", "-f", str(folder / "crossfade.yaml")]
    return CliRunner().invoke(crossfade, arguments, input=said, standalone_mode=False, catch_exceptions=False)


def value(aws: InMoto, name: str = "shop/prod/TOKEN") -> str:
    return str(aws.aws("secretsmanager").get_secret_value(SecretId=name)["SecretString"])


def made(aws: InMoto, *names: str) -> None:
    for name in names:
        aws.aws("secretsmanager").create_secret(Name=name)


def test_a_value_comes_from_standard_input_a_file_or_a_command(aws: InMoto, folder: Path) -> None:
    """Each without the last line break, and with all others."""
    made(aws, "shop/prod/TOKEN")
    (folder / "token").write_text("from\na file\r\n")
    for words, said, wanted in (
        ((), f"{VALUE}\n", VALUE),
        (("--from", str(folder / "token")), "", "from\na file"),
        (("--command", "printf 'a b\\n\\n'"), "", "a b\n"),
    ):
        assert run(folder, "set", "TOKEN", *words, said=said).exit_code == 0
        assert value(aws) == wanted


def test_no_value_is_told(aws: InMoto, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in the answer nor in any log, botocore's left at its most talkative but for what it sends."""
    made(aws, "shop/prod/TOKEN")
    with caplog.at_level(logging.INFO):
        texts = [run(folder, "set", "TOKEN", *more, said=VALUE).output for more in ((), ("--json",))]
    assert "web" in texts[0]
    assert json.loads(texts[1])["secret"]["variable"] == "TOKEN"
    assert VALUE not in "".join([*texts, caplog.text])


def test_the_list_says_which_are_empty(aws: InMoto, folder: Path) -> None:
    """And which are not made yet, who gets each, and what comes next."""
    made(aws, "shop/prod/TOKEN")
    shown = json.loads(run(folder, "list", "--json").output)["secrets"]
    assert [(one["variable"], one["name"], one["state"], one["services"]) for one in shown] == [
        ("TOKEN", "shop/prod/TOKEN", "empty", ["web"]),
        ("SALT", "shop/salt", "not made", []),
    ]
    text = run(folder, "list").output
    assert "`crossfade secrets set TOKEN -e prod` gives it a value" in text
    run(folder, "set", "TOKEN", said=VALUE)
    assert json.loads(run(folder, "list", "--json").output)["secrets"][0]["state"] == "filled"


@pytest.mark.parametrize(
    ("words", "said", "why"),
    [
        (("TOKN",), "x", "prod has no secret TOKN"),
        (("TOKEN",), "", "the value for shop/prod/TOKEN is empty"),
        (("TOKEN",), "\n", "the value for shop/prod/TOKEN is empty"),
        (("TOKEN",), b"\xff\xfe", "not UTF-8 text"),
        (("TOKEN",), "x" * (MOST + 1), "has 65,537 bytes"),
        (("TOKEN", "--from", "/nonexistent"), "", "cannot be read from /nonexistent: No such file or directory"),
        (("TOKEN", "--command", "echo half; exit 3"), "", "the command for TOKEN ended with 3"),
        (("TOKEN", "--command", "true", "--from", "x"), "", "--from and --command"),
    ],
)
def test_what_is_no_value_is_refused(
    aws: InMoto, folder: Path, words: tuple[str, ...], said: str | bytes, why: str
) -> None:
    """With the cause, and nothing written."""
    made(aws, "shop/prod/TOKEN")
    with pytest.raises(WrongInputError, match=why):
        run(folder, "set", *words, said=said)
    assert "VersionIdsToStages" not in aws.aws("secretsmanager").describe_secret(SecretId="shop/prod/TOKEN")


def test_a_secret_that_is_not_made_is_terraforms_to_make(aws: InMoto, folder: Path) -> None:
    """Nothing is made beside Terraform's back."""
    with pytest.raises(PlatformError, match=r"there is no secret shop/salt in \S+ of account \d+"):
        run(folder, "set", "SALT", said=VALUE)
