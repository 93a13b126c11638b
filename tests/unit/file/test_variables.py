"""`${NAME}` in the file, env_files, and where secrets come from."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.unit.file.files import SMALL

from crossfade.core.errors import WrongInputError
from crossfade.file.deployable import deployable
from crossfade.file.load import load, load_every
from crossfade.file.model import App
from crossfade.file.parts.image import Image

SHELL = {"TAG": "7", "N": "3", "DB_PASSWORD": "geheim"}


def loaded(
    folder: Path, text: str, environment: str | None = None, shell: Mapping[str, str] | None = None, **files: str
) -> App:
    (folder / "crossfade.yaml").write_text(text)
    for name, content in files.items():
        (folder / name.replace("_env", ".env")).write_text(content)
    return load(folder / "crossfade.yaml", environment, called="f.yaml", variables=SHELL if shell is None else shell)


def test_every_value_may_use_variables(tmp_path: Path) -> None:
    """Text, numbers, defaults inside each other; `.env` beside the file is below the shell."""
    text = (
        "app: shop\nservices:\n  web:\n    image: acme/web:${TAG}\n    replicas: ${N}\n    drain: ${DRAIN:-20s}\n"
        "    env: {URL: 'https://${HOST_NAME:-${FALLBACK:-localhost}}/', ONE: '${N}', LEVEL: '${LEVEL}'}\n"
        "listen: ${LISTEN:?which port}\n"
    )
    app = loaded(tmp_path, text, _env="LEVEL=info\nTAG=1\nLISTEN=9000\n")
    web = app.services["web"]
    assert (web.image, web.replicas, web.drain, app.listen.http) == (Image(name="acme/web:7"), 3, 20.0, 9000)
    assert web.env == {"URL": "https://localhost/", "ONE": "3", "LEVEL": "info"}


def test_what_a_shell_fills_in_stays_for_it(tmp_path: Path) -> None:
    """`$NAME`, `$${`, the instance's own variables, and those of the service, secrets among them."""
    text = (
        f"{SMALL}    build: echo $HOME $${{HOME}} ${{A}}\n"
        "    hooks: {smoke: 'curl ${CROSSFADE_URL} ${PORT:-1}'}\n    env: {A: '${TAG}'}\n    secrets: [B]\n"
    ).replace("--port $PORT", "--port $PORT --key ${B}")
    web = loaded(tmp_path, text).services["web"]
    assert web.command == "python -m shop --port $PORT --key ${B}"
    assert (web.build, web.hooks.smoke) == ("echo $HOME ${HOME} ${A}", "curl ${CROSSFADE_URL} ${PORT:-1}")
    assert web.env == {"A": "7"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "drain: ${NONE}",
            'f.yaml:6:5: services.web.drain: found "${NONE}", and NONE is not set; allowed: NONE in .env',
        ),
        ("drain: ${NONE:?how long}", "and NONE is not set (how long); allowed: NONE in .env or in this shell"),
        ("env: {X: '${A%.*}'}", 'services.web.env.X: found "${A%.*}"; allowed: ${NAME}, ${NAME:-default}'),
        (
            "env: {URL: 'x://u:${DB_PASSWORD}@h'}",
            "found DB_PASSWORD, which is a secret by its name; allowed: URL under",
        ),
        (
            "env_file: none.env",
            'services.web.env_file: found "none.env", which does not exist; allowed: an existing file',
        ),
        ("env_file: [5]", "services.web.env_file: found a list; allowed: a path such as .env"),
        ("secrets: {A: geheim}", "services.web.secrets.A: found a value, which the file never holds; allowed: {file:"),
        ("secrets: {A: {fil: x}}", 'services.web.secrets.A.fil: found unknown key "fil"; did you mean file?'),
        ("secrets: {A: {file: x, command: y}}", "services.web.secrets.A.command: found a command beside a file"),
        ("secrets: [A-B]", 'services.web.secrets.0: found "A-B"; allowed: the name of an environment variable'),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(tmp_path: Path, line: str, said: str) -> None:
    """File, line, key, what was found, what is allowed; and never a value that is a secret."""
    with pytest.raises(WrongInputError) as error:
        loaded(tmp_path, f"{SMALL}    {line}\n")
    assert said in str(error.value)
    assert "geheim" not in str(error.value)


def test_only_the_environment_that_is_asked_for_must_have_its_variables(tmp_path: Path) -> None:
    """Those of the others are set where they are deployed from; who asks for all needs all."""
    text = f"{SMALL}environments:\n  local: {{}}\n  prod: {{services: {{web: {{replicas: '${{PROD}}'}}}}}}\n"
    assert loaded(tmp_path, text).environment == "local"
    assert loaded(tmp_path, text, "prod", {"PROD": "4"}).services["web"].replicas == 4
    with pytest.raises(WrongInputError, match="PROD is not set"):
        load_every(tmp_path / "crossfade.yaml", variables={})


def test_a_deploy_is_told_where_values_come_from_and_none_of_them(tmp_path: Path) -> None:
    """An env_file's variables are secrets, but for those that env has; the rest as the file says."""
    text = (
        f"{SMALL}    env_file: [a.env, {{path: b.env, required: false}}]\n    env: {{MODE: live}}\n"
        "    secrets: {TOKEN: {command: 'cat $HOME/t'}, KEY: {file: key.txt}, OPTIONAL: {optional: true}, PLAIN: }\n"
    )
    loaded(tmp_path, text, a_env="MODE=x\nDB_HOST=db\nDB_PASS=geheim\nPORT=1\n")
    made = deployable(tmp_path / "crossfade.yaml", called="f", variables=SHELL)
    assert made["services"][0]["secrets"] == ["TOKEN", "KEY", "OPTIONAL", "PLAIN", "DB_HOST", "DB_PASS"]
    sources = made["sources"]["web"]
    assert sources["from_files"] == ["DB_HOST", "DB_PASS"]
    assert sources["secrets"]["TOKEN"] == {"file": "", "command": "cat $HOME/t", "value": "", "optional": False}
    assert set(sources["secrets"]) == {"TOKEN", "KEY", "OPTIONAL"}
    assert "geheim" not in str(made)


OWN = """\
app: shop
services:
  web:
    image: acme/web:1
    env: {{MODE: '{mode}'}}
    secrets: [API_TOKEN]
    health: {{command: 'curl -H "X: ${{API_TOKEN}}" localhost/${{MODE}}'}}
stores:
  db:
    image: postgres:16
    volumes: [data:/data]
    secrets: [POSTGRES_PASSWORD]
    command: serve --pw ${{POSTGRES_PASSWORD}}
    health: {{command: 'PGPASSWORD=${{POSTGRES_PASSWORD}} pg_isready'}}
    backup: {{command: 'PGPASSWORD=${{POSTGRES_PASSWORD}} pg_dump', restore: 'psql ${{POSTGRES_PASSWORD}}'}}
jobs:
  tidy: {{command: 'tidy --key ${{API_TOKEN}}', schedule: '0 3 * * *'}}
"""


def test_every_command_keeps_the_variables_of_what_runs_it(tmp_path: Path) -> None:
    """A check's, a job's, a store's, a backup's: a shell has them there, and none stands in the release."""
    shell = {"API_TOKEN": "geheim12", "POSTGRES_PASSWORD": "geheim34", "MODE": "other"}
    app = loaded(tmp_path, OWN.format(mode="live"), shell=shell)
    web, db = app.services["web"], app.stores["db"]
    assert web.health.command == 'curl -H "X: ${API_TOKEN}" localhost/${MODE}'
    assert db.command == "serve --pw ${POSTGRES_PASSWORD}"
    assert db.health is not None
    assert db.backup is not None
    assert db.health.command == "PGPASSWORD=${POSTGRES_PASSWORD} pg_isready"
    assert (db.backup.command, db.backup.restore) == (
        "PGPASSWORD=${POSTGRES_PASSWORD} pg_dump",
        "psql ${POSTGRES_PASSWORD}",
    )
    assert app.jobs["tidy"].command == "tidy --key ${API_TOKEN}"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("env: {URL: '${DB_URL}'}", "found DB_URL, which has a secret in it; allowed: URL under secrets"),
        ("port: ${DB_PASSWORD}", "found DB_PASSWORD, which is a secret by its name; allowed: port under secrets"),
        ("build: make ${DB_URL}", "which has a secret in it; allowed: DB_URL under secrets of what runs it"),
        ("hooks: {smoke: [ask, '${DB_URL}']}", "allowed: a text in place of the list, and DB_URL under secrets"),
    ],
)
def test_no_value_of_a_secret_gets_into_a_release_or_a_message(tmp_path: Path, lines: str, said: str) -> None:
    """By its name or by what it looks like; what else is wrong with it is said of the text as it was typed."""
    shell = {"DB_URL": "postgres://app:geheim@db/shop", "DB_PASSWORD": "geheim"}
    with pytest.raises(WrongInputError) as error:
        loaded(tmp_path, f"{SMALL}    {lines}\n", shell=shell)
    assert said in str(error.value)
    assert "geheim" not in str(error.value)


def test_a_list_meets_no_shell_and_is_filled_in(tmp_path: Path) -> None:
    """A program would be given the letters `${LEVEL}` else."""
    text = "app: shop\nservices: {web: {image: x:1, command: [serve, '${LEVEL}'], env: {LEVEL: '${LEVEL}'}}}\n"
    command = loaded(tmp_path, text, shell={"LEVEL": "info"}).services["web"].command
    assert command is not None
    assert command.words == ("serve", "info")


def test_paths_of_a_file_may_begin_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever they are: a source, a file of variables or of a secret, a certificate, a volume, a build's context."""
    home, folder = tmp_path / "home", tmp_path / "project"
    for made in (home / "src", home / "data", home / "image", folder):
        made.mkdir(parents=True)
    (home / "shop.env").write_text("A=1\n")
    (home / "image" / "Dockerfile").write_text("FROM scratch\n")
    monkeypatch.setenv("HOME", str(home))
    text = (
        "app: shop\nservices:\n  web:\n    source: ~/src\n    command: x\n    env_file: ~/shop.env\n"
        "    secrets: {TOKEN: {file: ~/token}}\n    volumes: ['~/data:data']\n"
        "  other: {image: {build: ~/image}, routes: [{path: /o}]}\n"
        "listen: {http: 80, https: 443}\ntls: {certificate: ~/c.pem, key: ~/k.pem}\n"
    )
    (folder / "crossfade.yaml").write_text(text)
    made = deployable(folder / "crossfade.yaml", called="f", variables={})
    (web,) = (one for one in made["services"] if one["name"] == "web")
    (other,) = (one for one in made["services"] if one["name"] == "other")
    assert (web["source"], web["volumes"][0]["source"]) == (str(home / "src"), str(home / "data"))
    assert web["listener"]["tls"]["certificate"] == str(home / "c.pem")
    assert other["container"]["build"]["context"] == str(home / "image")
    assert made["sources"]["web"]["from_files"] == ["A"]


def test_a_name_that_begins_like_ones_home_is_a_name(tmp_path: Path) -> None:
    """Of somebody who is not there nobody asks the machine."""
    with pytest.raises(WrongInputError, match='found "~nobody-of-that-name/x", which does not exist'):
        loaded(tmp_path, f"{SMALL}    volumes: ['~nobody-of-that-name/x:data']\n")
