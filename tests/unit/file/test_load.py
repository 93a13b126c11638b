"""Good files: what they become, what counts when nothing is said, and how environments are laid over them."""

from pathlib import Path
from typing import Any

import pytest
from tests.unit.file.files import FULL, SMALL

from crossfade.core.errors import WrongInputError
from crossfade.core.health import accepts
from crossfade.core.service import HealthCheck
from crossfade.file.load import load
from crossfade.file.model import App, Cloud, Route
from crossfade.file.parts.health import code_ranges
from crossfade.file.parts.image import Image


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(text: str) -> Path:
        path = tmp_path / "crossfade.yaml"
        path.write_text(text)
        return path

    return write


def test_every_key_of_the_file_reaches_the_model(write: Any) -> None:
    """Durations are seconds, shares percents, sizes bytes."""
    app = load(write(FULL))
    web = app.services["web"]
    assert (app.name, app.environment, app.platform, app.balancer, app.access_log) == (
        "feedback",
        "local",
        "local",
        "envoy",
        True,
    )
    assert (app.listen.http, app.listen.https, app.listen.host) == (8000, 8443, "127.0.0.1")
    assert app.tls is not None
    assert (app.tls.certificate, app.tls.redirect) == ("tls/fullchain.pem", True)
    assert (web.runtime, web.replicas, web.drain, web.timeout, web.idle_timeout) == ("process", 2, 30.0, 60.0, 3600.0)
    assert (web.health.interval, web.health.codes) == (30.0, "200")
    assert web.sticky is not None
    assert (web.sticky.cookie, web.sticky.ttl) == ("sessionid", 86400.0)
    assert web.routes == (Route(path="/api/*"), Route(host="api.example.com"))
    assert (web.resources.cpu, web.resources.memory) == (0.5, 1 << 30)
    assert (web.deploy.steps, web.deploy.approve, web.deploy.max_surge, web.deploy.keep_previous) == (
        (10, 50, 100),
        (50,),
        50,
        3600.0,
    )
    assert (web.deploy.rollback_on.error_rate, web.deploy.rollback_on.p95) == (0.5, 0.5)
    assert (app.services["db-api"].runtime, app.services["db-api"].command) == ("docker", None)


def test_a_variable_keeps_the_text_that_was_typed(write: Any) -> None:
    """1.10 is not 1.1, NO is not false, and 0755 is not 493."""
    env = load(write(FULL)).services["web"].env
    assert env == {
        "LOG_LEVEL": "info",
        "VERSION": "1.10",
        "COUNTRY": "NO",
        "DEBUG": "true",
        "MODE": "0755",
        "EMPTY": "",
    }


def test_a_ten_line_file_is_enough(write: Any) -> None:
    """Without another word it is one instance, switched blue-green on port 8080 of this machine."""
    app = load(write(SMALL))
    web = app.services["web"]
    assert (app.environment, app.platform, app.balancer, app.listen.http, app.listen.https, app.tls) == (
        "local",
        "local",
        "envoy",
        8080,
        None,
        None,
    )
    assert (web.replicas, web.drain, web.grace, web.timeout) == (1, 30.0, 10.0, 0.0)
    assert (web.health.path, web.health.interval, web.health.timeout, web.health.healthy, web.health.unhealthy) == (
        "/",
        10.0,
        5.0,
        2,
        3,
    )
    assert web.routes == (Route(path="/*"),)
    assert (web.deploy.strategy, web.deploy.keep_previous, web.deploy.timeout, web.deploy.retain) == (
        "blue-green",
        600.0,
        600.0,
        5,
    )
    assert (web.deploy.rollback_on.error_rate, web.deploy.inconclusive) == (5.0, "probe")


def test_a_resolved_app_goes_through_json_unchanged(write: Any) -> None:
    """The daemon works with exactly what the command line read."""
    for text in (FULL, SMALL):
        app = load(write(text))
        assert App.model_validate_json(app.model_dump_json()) == app
        assert App.model_validate(app.model_dump()) == app


def test_an_environment_is_laid_over_the_file(write: Any) -> None:
    """Mappings are merged to any depth; what the environment does not mention stays."""
    prod = load(write(FULL), "prod")
    assert (prod.environment, prod.platform, prod.balancer) == ("prod", "aws", "nginx")
    assert (prod.services["web"].replicas, prod.services["web"].deploy.bake) == (4, 3600.0)
    assert prod.services["web"].deploy.strategy == "canary"


def test_a_list_in_an_environment_replaces_the_files(write: Any) -> None:
    """Half of one list and half of another would be nobody's intention."""
    text = SMALL + "    secrets: [A, B]\nenvironments: {prod: {services: {web: {secrets: [C]}}}}\n"
    assert load(write(text)).services["web"].secrets == ("C",)


def test_a_key_without_a_value_takes_a_setting_back(write: Any) -> None:
    """So an environment can run an image where the file runs the source."""
    text = SMALL + "environments: {prod: {services: {web: {source: null, command: null, image: acme/shop}}}}\n"
    web = load(write(text)).services["web"]
    assert (web.runtime, web.image, web.command) == ("docker", Image(name="acme/shop"), None)


def test_a_key_without_a_value_counts_as_left_out(write: Any) -> None:
    """`health:` above lines that are all commented out is no mistake."""
    assert (
        load(write(SMALL + "    health:\n    deploy:\n      steps:\ntls:\nlisten:\n")).services["web"].health.path
        == "/"
    )


def test_the_environments_may_say_what_runs(write: Any) -> None:
    """The file alone need not be complete."""
    text = "app: a\nservices: {web: {replicas: 2}}\nenvironments: {prod: {services: {web: {image: x}}}}\n"
    assert load(write(text)).services["web"].image == Image(name="x")


@pytest.mark.parametrize(
    ("environments", "wanted", "chosen"),
    [
        ("", None, "local"),
        ("", "local", "local"),
        ("environments:\n", None, "local"),
        ("environments: {prod: }\n", None, "prod"),
        ("environments: {prod: {}, local: {}}\n", None, "local"),
        ("environments: {prod: {}, local: {}}\n", "prod", "prod"),
    ],
)
def test_the_environment_that_is_meant_is_chosen(
    write: Any, environments: str, wanted: str | None, chosen: str
) -> None:
    """The wanted one, the only one, or the one called local."""
    assert load(write(SMALL + environments), wanted).environment == chosen


def test_without_a_wanted_environment_several_are_a_question(write: Any) -> None:
    """Deploying to the first one would be a guess about production."""
    with pytest.raises(WrongInputError, match=r"prod, test, and none called local\n  say which with -e"):
        load(write(SMALL + "environments: {prod: {}, test: {}}\n"))


def test_an_unknown_environment_is_named_with_the_known_ones(write: Any) -> None:
    """And with the one that was probably meant."""
    with pytest.raises(WrongInputError, match=r'no environment "prd"\n  did you mean prod\? it has local, prod'):
        load(write(FULL), "prd")


def test_overrides_are_laid_over_everything(write: Any) -> None:
    """What the command line says counts more than the environment."""
    app = load(
        write(FULL), "prod", {"services": {"web": {"replicas": 9, "deploy": {"strategy": "rolling", "approve": []}}}}
    )
    assert (app.services["web"].replicas, app.services["web"].deploy.strategy, app.services["web"].deploy.bake) == (
        9,
        "rolling",
        3600.0,
    )


def test_wrong_overrides_are_told_from_a_wrong_file(write: Any) -> None:
    """There is no line to look at."""
    with pytest.raises(
        WrongInputError, match=r'^command line: services.web.replcas: unknown key "replcas"; did you mean replicas\?'
    ):
        load(write(FULL), "prod", {"services": {"web": {"replcas": 9}}})


def test_a_missing_file_is_answered_with_init(tmp_path: Path) -> None:
    """That is the way out for whoever is new."""
    with pytest.raises(
        WrongInputError, match=r"there is no file .*crossfade\.yaml\n  [Ww]rite one with `crossfade init`"
    ):
        load(tmp_path / "crossfade.yaml")


def test_a_folder_or_a_forbidden_file_is_wrong_input(tmp_path: Path) -> None:
    """No traceback for what the file system says."""
    with pytest.raises(WrongInputError, match="cannot be read: Is a directory"):
        load(tmp_path)


def test_aliases_and_merge_keys_work(write: Any) -> None:
    """YAML's own way to say a thing once."""
    text = """\
app: shop
services:
  web: &web
    image: acme/shop
    env: &env {A: 1, B: 2}
    routes: [{path: /web/*}]
  api:
    <<: *web
    env: {<<: *env, B: 3}
    routes: [{path: /api/*}]
"""
    assert load(write(text)).services["api"].env == {"A": "1", "B": "3"}


def test_services_come_after_those_they_depend_on(write: Any) -> None:
    """The order in which several services become one release."""
    assert load(write(FULL)).deploy_order == ("db-api", "web")


@pytest.mark.parametrize(
    ("listen", "ports"),
    [
        ("9000", (9000, None)),
        ("{http: 9000}", (9000, None)),
        ("{host: 127.0.0.1}", (8080, None)),
        ("{https: 443}\ntls: {certificate: c, key: k}", (None, 443)),
    ],
)
def test_listen_is_a_port_or_a_mapping(write: Any, listen: str, ports: tuple[int | None, int | None]) -> None:
    """HTTP on 8080 unless something else is said."""
    app = load(write(f"{SMALL}listen: {listen}\n"))
    assert (app.listen.http, app.listen.https) == ports


def test_a_short_interval_shortens_the_timeout(write: Any) -> None:
    """Whoever writes `interval: 1s` need not know that a timeout of 5s would not fit."""
    assert load(write(SMALL + "    health: {interval: 1s}\n")).services["web"].health.timeout == 1.0


@pytest.mark.parametrize(
    ("deploy", "steps"),
    [
        ("{strategy: blue-green}", (100,)),
        ("{strategy: canary}", (10, 50, 100)),
        ("{strategy: canary, steps: [1%, 100%]}", (1, 100)),
        ("{strategy: linear}", (20, 40, 60, 80, 100)),
        ("{strategy: linear, step: 30%}", (30, 60, 90, 100)),
        ("{strategy: linear, step: 100}", (100,)),
    ],
)
def test_every_strategy_is_a_list_of_steps(write: Any, deploy: str, steps: tuple[int, ...]) -> None:
    """The last one is always all of the traffic."""
    assert load(write(f"{SMALL}    deploy: {deploy}\n")).services["web"].deploy.traffic_steps == steps


def test_rolling_always_ends_with_the_whole_fleet(write: Any) -> None:
    """A last checkpoint of 50 does not leave half of the old release running."""
    deploy = (
        load(write(f"{SMALL}    deploy: {{strategy: rolling, checkpoints: [50], approve: [50, 100]}}\n"))
        .services["web"]
        .deploy
    )
    assert (deploy.capacity_steps, deploy.keep_previous, deploy.keep_assets) == ((50, 100), 0.0, 5.0)


@pytest.mark.parametrize(
    ("codes", "good", "bad"),
    [("200", 200, 201), ('"200,204"', 204, 201), ("200-299", 250, 300), ("[200, 300-399]", 302, 201)],
)
def test_codes_are_one_or_several_or_ranges(write: Any, codes: str, good: int, bad: int) -> None:
    """As target groups of load balancers have it."""
    health = load(write(f"{SMALL}    health: {{codes: {codes}}}\n")).services["web"].health
    check = HealthCheck(codes=code_ranges(health.codes))
    assert accepts(check, good)
    assert not accepts(check, bad)


def test_a_command_may_be_a_list(write: Any) -> None:
    """Each item stays one argument."""
    text = SMALL.replace("python -m shop --port $PORT", '[python, -m, shop, "a b"]')
    assert load(write(text)).services["web"].command == "python -m shop 'a b'"


EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*/crossfade.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.parent.name for path in EXAMPLES])
def test_the_file_of_every_example_loads(path: Path) -> None:
    """In each of its environments, since all are checked."""
    assert load(path).services


def test_what_counts_when_nothing_is_written_would_be_taken_if_it_were(write: Any) -> None:
    """Defaults are not checked when they are made: they are here, by reading them back."""
    app = load(write(SMALL))
    assert App.model_validate(app.model_dump(mode="json")) == app
    assert app.cloud.alarms == Cloud.model_validate({"alarms": app.model_dump(mode="json")["cloud"]["alarms"]}).alarms


def test_versions_and_parameters_keep_the_text_that_was_typed(write: Any) -> None:
    """7.10 is not 7.1, and `on` is not true."""
    text = f"{SMALL}cloud: {{database: {{version: 7.10, parameters: {{a: 1.10, b: true}}}}, cache: {{version: 7.0}}}}\n"
    cloud = load(write(text)).cloud
    assert cloud.database
    assert cloud.cache
    assert (cloud.database.version, cloud.database.parameters) == ("7.10", {"a": "1.10", "b": "true"})
    assert cloud.cache.version == "7.0"
