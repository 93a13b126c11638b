"""Variables that the environment tells: `env: {DB_HOST: {from: database.host}}`."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tests.unit.aws.terraform.files import app

from crossfade.aws.audit.on_file.secrets import in_plain_sight
from crossfade.aws.terraform.hcl import Expression
from crossfade.aws.terraform.parts import told
from crossfade.aws.terraform.parts.compute import compute
from crossfade.aws.terraform.parts.security import security
from crossfade.file.model import App
from crossfade.file.settle import settle

WORDS = {
    "DB_HOST": "database.host",
    "DB_PORT": "database.port",
    "DB_NAME": "database.name",
    "DB_USER": "database.user",
    "DB_PASSWORD": "database.password",
    "REDIS_HOST": "cache.host",
    "REDIS_PORT": "cache.port",
    "FILES": "bucket.user-files",
    "AWS_REGION": "region",
}
FROM = {name: {"from": word} for name, word in WORDS.items()}


def shop(env: dict[str, Any], **cloud: Any) -> App:
    known: dict[str, Any] = {"database": {}, "cache": {}, "buckets": {"user-files": {}}, **cloud}
    return app({"web": {"env": env}}, **{key: part for key, part in known.items() if part is not None})


def texts(of: App, part: Any) -> str:
    return "\n".join(map(str, part(of)))


def test_terraform_tells_what_only_it_knows() -> None:
    """Addresses in plain sight, the password by where it is kept; what the file says stays as it is."""
    of = shop({**FROM, "LOG": "info"})
    assert told.environment(of, of.services["web"]) == {
        "LOG": "info",
        "DB_HOST": Expression("module.database.address"),
        "DB_PORT": "5432",
        "DB_NAME": "shop",
        "DB_USER": "app",
        "REDIS_HOST": Expression("module.cache.endpoint"),
        "REDIS_PORT": "6379",
        "FILES": Expression("module.bucket_user_files.id"),
        "AWS_REGION": Expression("var.region"),
    }
    written = texts(of, compute)
    assert '"${module.database.secret_arn}:password::"' in written
    assert "database.password" not in written


@pytest.mark.parametrize(
    ("env", "may"), [({"PW": {"from": "database.password"}}, True), ({"H": {"from": "database.host"}}, False)]
)
def test_only_who_asks_for_the_password_may_read_it(env: dict[str, Any], may: bool) -> None:
    """The role that starts its tasks has the right to this one secret."""
    assert ("secret_arns = [module.database.secret_arn]" in " ".join(texts(shop(env), security).split())) is may


def test_a_release_knows_their_names_alone(tmp_path: Path) -> None:
    """Values are the place's, and change without a deploy of ours."""
    (service,) = settle(shop({**FROM, "LOG": "info"}), tmp_path)
    assert service.env == (("LOG", "info"),)
    assert service.told == tuple(sorted(WORDS))


def test_the_password_is_not_taken_for_one_in_plain_sight() -> None:
    """`audit` finds values, and this is none."""
    assert list(in_plain_sight(shop({"DB_PASSWORD": {"from": "database.password"}}))) == []


@pytest.mark.parametrize(
    ("word", "cloud", "why"),
    [
        ("databse.host", {}, r"database\.host, or another one of"),
        ("bucket.", {}, "one of database.host"),
        ("database.host", {"database": None}, "database.host without a database"),
        ("cache.port", {"cache": None}, "cache.port without a cache"),
        ("bucket.userfiles", {}, "bucket.userfiles, which is not in cloud.buckets"),
    ],
)
def test_what_the_environment_does_not_have_is_refused(word: str, cloud: dict[str, Any], why: str) -> None:
    """With the nearest word, or the part that is missing."""
    with pytest.raises(ValidationError, match=why):
        shop({"X": {"from": word}}, **cloud)


@pytest.mark.parametrize("value", [{}, {"from": 1}, {"from": "region", "of": "x"}, {"form": "region"}, ["region"]])
def test_any_other_mapping_is_no_value(value: Any) -> None:
    """Text, or one word after `from`."""
    with pytest.raises(ValidationError, match="text"):
        shop({"X": value})


def test_elsewhere_nobody_knows_them() -> None:
    """On this machine the environment has to say it in text."""
    web = {"image": "acme/web", "env": {"DB_HOST": {"from": "database.host"}}}
    with pytest.raises(ValidationError, match=r"database\.host in an environment that is not on AWS"):
        App.model_validate({"app": "shop", "services": {"web": web}})


def test_it_is_written_as_it_was_read() -> None:
    """Also through JSON, for editors and `check --json`."""
    said = shop(FROM).model_dump(mode="json")["services"]["web"]["env"]
    assert said == FROM
