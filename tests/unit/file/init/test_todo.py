"""What is left to do: in the file as comments, and repeated as long as it is open."""

from pathlib import Path

from crossfade.file.init.facts import open_items
from crossfade.file.init.todo import Rank, Todo, as_comments, still_open, worst_first
from crossfade.file.load import load_every

TODOS = [
    Todo(Rank.ASSUMED, "services.web.health", "write the path; / is assumed"),
    Todo(Rank.ASSUMED, "services.api.health", "write the path; / is assumed"),
    Todo(Rank.NOTHING_RUNS, "services.web.image", "build it: docker build -t web:1 ."),
    Todo(Rank.NEVER_HEALTHY, "services.web.env.DB_HOST", "db is a service that stays in Compose"),
    Todo(Rank.DATA, "services.web", "/data begins empty: keep it"),
]
FILE = """\
app: shop
services:
  web: {image: "web:1", health: {path: PATH}, env: {DB_HOST: HOST}, secrets: [KEY]}
  api: {image: "ghcr.io/acme/api:1", routes: [{path: /api/*}]}
"""


def test_the_worst_comes_first_and_what_is_the_same_is_said_once() -> None:
    """With every place that it is about."""
    assert [(todo.where, todo.what[:5]) for todo in worst_first(TODOS)] == [
        ("services.web.image", "build"),
        ("services.web.env.DB_HOST", "db is"),
        ("services.web", "/data"),
        ("services.web.health, services.api.health", "write"),
    ]


def test_the_comments_are_read_back() -> None:
    """Those that stand there still; nothing to do needs no heading."""
    todos = worst_first(TODOS)
    text = as_comments(todos) + FILE
    assert still_open(text) == [(todo.where, todo.what) for todo in todos]
    assert still_open(text.replace(f"#  3. {todos[2]}\n", "")) == [
        (todo.where, todo.what) for todo in todos if todo is not todos[2]
    ]
    assert as_comments([]) == ""


def test_nothing_breaks_out_of_a_comment() -> None:
    """What the Compose file is full of may be anything; a line of ours is one line."""
    text = as_comments([Todo(Rank.DATA, "services.web", "a\nb: c\x1f\u2028d\x85 é 漢")])
    assert text.splitlines()[1] == "#  1. services.web: a?b: c??d? é 漢"
    assert len(text.splitlines()) == 2


def opened(folder: Path, text: str, *, here: bool | None, known: set[str]) -> list[str]:
    (folder / "crossfade.yaml").write_text(text)
    apps = load_every(folder / "crossfade.yaml", variables={})
    return [where for where, _ in open_items(text, apps, lambda _image: here, known)]


def test_what_the_file_and_the_machine_show_to_be_done_is_not_repeated(tmp_path: Path) -> None:
    """A built image, a path, an address, a value; what cannot be seen stays until its line is deleted."""
    head = as_comments(worst_first(TODOS))
    before = opened(tmp_path, head + FILE.replace("PATH", "/").replace("HOST}", "db}"), here=False, known=set())
    assert before == [
        "services.web.secrets",
        "services.web.image",
        "services.web.env.DB_HOST",
        "services.web",
        "services.web.health, services.api.health",
    ]
    after = head + FILE.replace("PATH", "/up").replace("HOST}", "10.0.0.1}")
    assert opened(tmp_path, after, here=True, known={"KEY"}) == ["services.web", "services.api.health"]


def test_facts_need_no_line(tmp_path: Path) -> None:
    """A secret without a value; an image that is not here is pulled by the deploy."""
    text = FILE.replace("PATH", "/").replace("HOST}", "db}")
    assert opened(tmp_path, text, here=False, known=set()) == ["services.web.secrets"]
    assert opened(tmp_path, text, here=False, known={"KEY"}) == []


def test_a_dotenv_that_came_later_is_seen(tmp_path: Path) -> None:
    """By a value for one of the variables that were set nowhere."""
    what = "copy .env.example to .env and fill it in: without it DB_HOST, DEBUG stay empty"
    text = as_comments([Todo(Rank.NOTHING_RUNS, "services.web.env", what)]) + FILE.replace("PATH", "/").replace(
        "HOST}", "db}"
    )
    assert opened(tmp_path, text, here=True, known={"KEY"}) == ["services.web.env"]
    assert opened(tmp_path, text, here=True, known={"KEY", "DEBUG"}) == []


def test_what_several_services_lack_is_said_once(tmp_path: Path) -> None:
    """With every place that lacks it."""
    text = FILE.replace("PATH", "/").replace("HOST}", "db}").replace('api:1"', 'api:1", secrets: [KEY]')
    assert opened(tmp_path, text, here=False, known=set()) == ["services.web.secrets, services.api.secrets"]


def test_what_a_secret_is_made_of_and_who_is_told_are_facts_too(tmp_path: Path) -> None:
    """A variable with a default is not asked for, nor an address that is here."""
    text = FILE.replace("PATH", "/").replace("HOST}", "db}")
    made = "postgres://${DB_USER:-app}:${DB_PASSWORD}@db"
    text = (
        text.replace("[KEY]", f"{{KEY: {{value: '{made}'}}}}") + "notify: {ops: {secret: OPS}, team: {secret: TEAM}}\n"
    )
    (tmp_path / "crossfade.yaml").write_text(text)
    found = open_items("", load_every(tmp_path / "crossfade.yaml", variables={}), lambda _image: None, {"TEAM"})
    assert found == [
        ("services.web.secrets", "export DB_PASSWORD before a deploy, unless an earlier deploy brought it"),
        ("notify.ops", "export OPS before a deploy, unless an earlier deploy brought it"),
    ]


def test_secrets_on_aws_are_filled_there(tmp_path: Path) -> None:
    """A variable of this shell gives no release on AWS its value: the command that does is named."""
    size = "{resources: {cpu: 0.25, memory: 512M}}"
    dev = f"{{platform: aws, services: {{web: {size}, api: {size}}}, cloud: {{secrets: {{KEY: {{}}}}}}}}"
    text = FILE.replace("PATH", "/ok").replace("HOST}", "db}")
    (tmp_path / "crossfade.yaml").write_text(f"{text}environments: {{dev: {dev}}}\n")
    apps = load_every(tmp_path / "crossfade.yaml", variables={})
    found = open_items("", {"dev": apps["dev"]}, lambda _image: None, {"KEY"})
    assert found == [("services.web.secrets", "give KEY a value once: `crossfade secrets set KEY -e dev`")]
