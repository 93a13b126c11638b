"""Secrets in commands of a Compose file: none is written down, and each command still has its own."""

import subprocess
from pathlib import Path

import pytest
from tests.unit.file.compose.composed import Composed, services

WEB = {"image": "acme/web:1", "ports": ["80:80"]}
DOTENV = {".env": "DB_PASSWORD=geheim\nDSN=postgres://app:geheim@db/x\n"}


@pytest.mark.parametrize(
    ("service", "command"),
    [
        ({"command": "serve --pw ${DB_PASSWORD:?why}"}, ("sh", "-c", 'exec serve --pw "$DB_PASSWORD"')),
        ({"command": ["serve", "--pw=${DB_PASSWORD}"]}, ("sh", "-c", 'exec serve --pw="$DB_PASSWORD"')),
        ({"command": "serve 'a b' $DB_PASSWORD"}, ("sh", "-c", "exec serve 'a b' \"$DB_PASSWORD\"")),
        ({"command": "serve --db ${DSN:-none}"}, ("sh", "-c", 'exec serve --db "$DSN"')),
    ],
)
def test_a_shell_in_the_container_fills_a_secret_in(
    tmp_path: Path, service: dict[str, object], command: tuple[str, ...]
) -> None:
    """Also one that only its value makes a secret; the program takes the shell's place."""
    carried = Composed(tmp_path, services(web={**WEB, **service}), DOTENV)
    web = carried.service()
    assert web.command is not None
    assert (web.command.words, len(web.secrets)) == (command, 1)
    assert "geheim" not in carried.text + "".join(map(str, carried.left))


def test_an_entrypoint_with_a_secret_takes_the_command_along(tmp_path: Path) -> None:
    """Both are one line then, as Docker would have joined them."""
    web = {**WEB, "entrypoint": ["run", "--token", "${API_TOKEN}"], "command": "now"}
    carried = Composed(tmp_path, services(web=web))
    assert (carried.service().entrypoint, carried.service().command) == (
        ("sh", "-c", 'exec run --token "$API_TOKEN" now'),
        None,
    )
    assert carried.todo("services.web.secrets") == "export API_TOKEN, or write it to .env beside this file"


def test_options_alone_that_hold_a_secret_are_asked_for(tmp_path: Path) -> None:
    """Only the image knows which program takes them."""
    carried = Composed(
        tmp_path, services(web=WEB, cache={"image": "redis:7", "command": "--requirepass ${DB_PASSWORD}"}), DOTENV
    )
    assert '--requirepass "$DB_PASSWORD"' in carried.todo("stores.cache.command")
    assert carried.app.stores["cache"].command is None


def test_a_check_with_a_secret_is_run_in_the_container(tmp_path: Path) -> None:
    """There its value is; a request from outside would show it in the file."""
    ask = "curl -f -H 'X-Key: ${DB_PASSWORD}' http://localhost/up"
    web = {**WEB, "healthcheck": {"test": ask}}
    cache = {"image": "redis:7", "healthcheck": {"test": ["CMD", "redis-cli", "-a", "${DB_PASSWORD}", "ping"]}}
    carried = Composed(tmp_path, services(web=web, cache=cache), DOTENV)
    assert carried.service().health.command == """curl -f -H 'X-Key: '"$DB_PASSWORD"'' http://localhost/up"""
    assert carried.app.stores["cache"].health.command == 'redis-cli -a "$DB_PASSWORD" ping'


@pytest.mark.parametrize("said", ["a ${PW} b", "a '${PW}' b", 'a "x ${PW}y" b', r"a \"${PW}\" b", "a 'it' '${PW}'z b"])
def test_a_shell_reads_the_value_that_compose_would_have_written(tmp_path: Path, said: str) -> None:
    """In whatever quotes it stands."""
    web = {**WEB, "healthcheck": {"test": ["CMD-SHELL", f"printf '[%s]' {said}"]}}
    check = Composed(tmp_path, services(web=web), {".env": "PW=ge-heim\n"}).service().health.command
    assert check is not None
    wanted = subprocess.run(
        ["sh", "-c", f"printf '[%s]' {said.replace('${PW}', 'ge-heim')}"], check=True, capture_output=True
    )
    assert (
        subprocess.run(["sh", "-c", check], check=True, capture_output=True, env={"PW": "ge-heim"}).stdout
        == wanted.stdout
    )


def test_a_migration_brings_its_secrets_to_the_service_that_runs_it(tmp_path: Path) -> None:
    """Its hook is run with what that service has."""
    once = {"image": "acme/web:1", "command": "migrate --pw=${DB_PASSWORD} --to ${TO:?where}", "restart": "no"}
    carried = Composed(tmp_path, services(web=WEB, once=once), DOTENV)
    assert carried.service().hooks.migrate == 'migrate --pw="$DB_PASSWORD" --to "$TO"'
    assert set(carried.service().secrets) == {"DB_PASSWORD", "TO"}
    assert carried.todo("services.web.secrets") == "export TO, or write it to .env beside this file"


def test_what_has_to_be_set_and_is_no_secret_stays_a_variable(tmp_path: Path) -> None:
    """`check` refuses the file until it is; here it is."""
    (tmp_path / ".env").write_text("")
    text = services(web={**WEB, "command": "serve --mode ${MODE:?which}"})
    with pytest.raises(Exception, match="MODE is not set"):
        Composed(tmp_path, text)
    assert "command: [serve, --mode, '${MODE}']" in (tmp_path / "crossfade.yaml").read_text()


def test_what_depends_on_whether_a_secret_is_set_is_asked_for(tmp_path: Path) -> None:
    """Neither file nor list has the secret."""
    carried = Composed(tmp_path, services(web={**WEB, "command": "serve ${DB_PASSWORD:+--pw $DB_PASSWORD}"}), DOTENV)
    assert carried.todo("services.web.command") == "write it anew: it had DB_PASSWORD in it"
    assert "geheim" not in carried.text


def built(folder: Path, **build: object) -> Composed:
    (folder / "Dockerfile").write_text("FROM scratch\n")
    return Composed(folder, services(web={**WEB, "build": {"context": ".", **build}}), DOTENV)


@pytest.mark.parametrize("args", [{"KEEPER": "${DB_PASSWORD}"}, ["KEEPER=${DB_PASSWORD}"], {"KEEPER": "x-${DSN}"}])
def test_a_secret_goes_to_a_build_by_hand_under_whatever_name(tmp_path: Path, args: object) -> None:
    """What a release was built with is on record, and a list of processes shows what a command line has."""
    carried = built(tmp_path, args=args)
    assert "geheim" not in carried.text + str(carried.left) + str(carried.draft.todos)
    assert "KEEPER=" in carried.todo("services.web.image").partition(" docker build ")[0]
    assert '"$D' in carried.todo("services.web.image")
    assert " --build-arg KEEPER ." in carried.todo("services.web.image")


def test_an_argument_that_who_builds_has_is_asked_for_by_hand_where_it_is_a_secret(tmp_path: Path) -> None:
    """Our file takes no secret there; any other it takes from the shell that deploys."""
    assert "--build-arg NPM_TOKEN" in built(tmp_path, args=["NPM_TOKEN"]).todo("services.web.image")


def test_a_token_in_the_address_of_a_build_is_the_shells(tmp_path: Path) -> None:
    """In the line to type it is a variable."""
    build = "https://${GIT_TOKEN}@git.example.com/shop.git#main"
    carried = Composed(tmp_path, services(web={**WEB, "build": build}), {".env": "GIT_TOKEN=geheim12\n"})
    assert "geheim12" not in carried.text + str(carried.left) + str(carried.draft.todos)
    assert '"$GIT_TOKEN"' in carried.todo("services.web.image")


@pytest.mark.parametrize(
    ("command", "written"),
    [
        (["redis-server", "--requirepass", "geheim"], True),
        ("serve --api-key=geheim", True),
        ("serve --db postgres://app:geheim@db/x", True),
        ("serve --password-file /run/pw --token-ttl 5m --key tls.key", False),
    ],
)
def test_a_secret_that_stands_in_a_command_is_something_to_do(
    tmp_path: Path, command: object, *, written: bool
) -> None:
    """It comes along as it is, for nobody knows a name for it; the list says so."""
    carried = Composed(tmp_path, services(web={**WEB, "command": command}))
    assert ("take out the secret" in carried.todo("services.web.command")) == written
