"""The first file: it loads as it is, and says what was guessed from what."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from crossfade.file.init.guess import pages
from crossfade.file.init.starter import Start, app_name, starter
from crossfade.file.init.todo import Rank, Todo
from crossfade.file.load import load
from crossfade.file.model import Service
from crossfade.file.parts.health import Health
from crossfade.file.parts.image import Build, Image

SERVER = "python3 -m http.server --bind 127.0.0.1 --directory .site $PORT"
VENV = "python3 -m venv .venv && .venv/bin/python -m pip install"

FOLDERS: dict[str, tuple[Mapping[str, str], Mapping[str, object]]] = {
    # what stands there, and what is guessed
    "nothing": ({}, {"command": SERVER, "build": "mkdir -p .site"}),
    "Procfile": (
        {"Procfile": "web: gunicorn shop:app --bind :$PORT # yes: really\n"},
        {"command": "gunicorn shop:app --bind :$PORT # yes: really"},
    ),
    "Procfile without web": ({"Procfile": "worker: x\n"}, {"command": SERVER}),
    "Procfile of a Node app": (
        {"Procfile": "web: node .\n", "package.json": '{"scripts": {"start": "x"}}', "yarn.lock": ""},
        {"command": "node .", "build": "yarn install --frozen-lockfile"},
    ),
    "package.json": (
        {"package.json": '{"scripts": {"start": "node ."}}', "package-lock.json": "{}"},
        {"command": "npm start", "build": "npm ci", "cache": ("node_modules",)}
        | {"built_from": ("package.json", "package-lock.json")},
    ),
    "package.json without lock": ({"package.json": '{"scripts": {"start": "node ."}}'}, {"build": "npm install"}),
    "package.json with a build": (
        {"package.json": '{"scripts": {"start": "node .", "build": "tsc"}}', "pnpm-lock.yaml": ""},
        {"command": "pnpm start", "build": "pnpm install --frozen-lockfile && pnpm run build"},
    ),
    "Next": (
        {"package.json": '{"scripts": {"build": "next build"}, "dependencies": {"next": "15"}}'},
        {"command": "npx next start -H 127.0.0.1 -p $PORT"},
    ),
    "a page that is built": (
        {"package.json": '{"scripts": {"build": "vite build"}, "devDependencies": {"vite": "6"}}'},
        {"command": "python3 -m http.server --bind 127.0.0.1 --directory dist $PORT"},
    ),
    "a page whose start is for who writes it": (
        {"package.json": '{"scripts": {"start": "astro dev", "build": "astro build"}, "dependencies": {"astro": "5"}}'},
        {"command": "python3 -m http.server --bind 127.0.0.1 --directory dist $PORT"},
    ),
    "a page of Create React App": (
        {
            "package.json": '{"scripts": {"start": "react-scripts start", "build": "react-scripts build"},'
            ' "dependencies": {"react-scripts": "5"}}'
        },
        {"command": "python3 -m http.server --bind 127.0.0.1 --directory build $PORT"},
    ),
    "SvelteKit without a server of its own": (
        {"package.json": '{"scripts": {"build": "vite build"}, "devDependencies": {"@sveltejs/kit": "2"}}'},
        {"command": "HOST=127.0.0.1 node build"},
    ),
    "Rails behind Thruster": (
        {"Procfile": "web: bundle exec thrust bin/start-app\n"},
        {"command": "bundle exec bin/start-app"},
    ),
    "Go in a folder": (
        {"go.mod": "module x\n", "app/main.go": "package main\n", "_example/x.go": "package main\n"},
        {"command": "./bin/app", "build": "go build -o bin/app ./app"},
    ),
    "an app that imports from src itself": (
        {"src/main.py": "from src.config import settings\napp = FastAPI()\n", "requirements.txt": "uvicorn\n"},
        {"command": ".venv/bin/uvicorn src.main:app --port $PORT"},
    ),
    "package.json that is none": ({"package.json": "[1]"}, {"command": SERVER}),
    "broken package.json": ({"package.json": "{"}, {"command": SERVER}),
    "Django": ({"manage.py": ""}, {"command": "python3 manage.py runserver 127.0.0.1:$PORT --noreload"}),
    "Django with gunicorn": (
        {"manage.py": "", "site/wsgi.py": "", "requirements.txt": "django\ngunicorn\n"},
        {"command": ".venv/bin/gunicorn site.wsgi --bind 127.0.0.1:$PORT", "build": f"{VENV} -r requirements.txt"}
        | {"cache": (".venv",), "built_from": ("requirements.txt",)},
    ),
    "a script that reads PORT": (
        {"server.py": "serve(int(os.environ.get('PORT', 8000)))\n"},
        {"command": "exec python3 server.py"},
    ),
    "requirements in two files": (
        {"main.py": "", "requirements.txt": "-r base.txt\nuvicorn\n", "base.txt": "fastapi\n"},
        {"cache": (".venv",), "built_from": ("requirements.txt", "base.txt")},
    ),
    "requirements with a folder": (
        {"main.py": "", "requirements.txt": "fastapi\n-e ./lib\n"},
        {"cache": (".venv",), "built_from": ()},
    ),
    "a package with a step of its own": (
        {"package.json": '{"scripts": {"start": "node .", "postinstall": "./patch"}}', "yarn.lock": ""},
        {"cache": ("node_modules",), "built_from": ()},
    ),
    "Django with daphne": (
        {"manage.py": "", "site/wsgi.py": "", "site/asgi.py": "", "requirements.txt": "daphne\n"},
        {"command": ".venv/bin/daphne -b 127.0.0.1 -p $PORT site.asgi:application"},
    ),
    "Django with channels beside gunicorn": (
        {"manage.py": "", "site/wsgi.py": "", "site/asgi.py": "", "requirements.txt": "channels\ndaphne\ngunicorn\n"},
        {"command": ".venv/bin/daphne -b 127.0.0.1 -p $PORT site.asgi:application"},
    ),
    "FastAPI in a package": (
        {"src/shop/main.py": "api: FastAPI = FastAPI()\n", "shop/main.py": "api = FastAPI()\n", "uv.lock": ""}
        | {"pyproject.toml": '[project]\ndependencies = ["fastapi"]\n'},
        {"command": ".venv/bin/uvicorn shop.main:api --port $PORT", "build": "uv sync --frozen --no-dev"},
    ),
    "Flask by a factory": (
        {"shop/__init__.py": "def create_app():\n    pass\n", "requirements.txt": "flask\ngunicorn\n"},
        {"command": ".venv/bin/gunicorn 'shop:create_app()' --bind 127.0.0.1:$PORT"},
    ),
    "Rails": (
        {"Gemfile": 'gem "rails"\ngem "puma"\n'},
        {"command": "bundle exec puma -b tcp://127.0.0.1:$PORT"},
    ),
    "Rack": ({"Gemfile": 'gem "rack"\n', "config.ru": ""}, {"command": "bundle exec rackup -o 127.0.0.1 -p $PORT"}),
    "Go": (
        {"go.mod": "module x\n", "main.go": "package main\n"},
        {"command": "./bin/app", "build": "go build -o bin/app ."},
    ),
    "Go with cmd": (
        {"go.mod": "module x\n", "cmd/tool/x.go": "package main\n", "cmd/server/x.go": "package main\n"},
        {"command": "./bin/server", "build": "go build -o bin/server ./cmd/server"},
    ),
    "FastAPI": (
        {"main.py": "", "requirements.txt": "fastapi\nuvicorn\n"},
        {"command": ".venv/bin/uvicorn main:app --port $PORT", "build": f"{VENV} -r requirements.txt"},
    ),
    "Flask": (
        {"app.py": "", "pyproject.toml": '[project]\ndependencies = ["Flask"]\n'},
        {"command": ".venv/bin/flask --app app run --port $PORT", "build": f"{VENV} ."},
    ),
    "Flask with gunicorn": (
        {"app.py": "", "requirements.txt": "flask\ngunicorn\n"},
        {"command": ".venv/bin/gunicorn app:app --bind 127.0.0.1:$PORT"},
    ),
    "FastAPI below src": (
        {"src/shop/main.py": "app: FastAPI = FastAPI()\n", "poetry.lock": "", "pyproject.toml": "fastapi\nuvicorn\n"},
        {"command": "PYTHONPATH=src .venv/bin/uvicorn shop.main:app --port $PORT"},
    ),
    "Streamlit": (
        {"app.py": "import streamlit\n", "requirements.txt": "streamlit\n"},
        {
            "command": ".venv/bin/streamlit run app.py --server.headless true --server.address 127.0.0.1"
            " --server.port $PORT"
        },
    ),
    "Nest": (
        {
            "package.json": '{"scripts": {"build": "nest build", "start": "x", "start:prod": "node dist/main"}}',
            "package-lock.json": "",
        },
        {"command": "npm run start:prod", "build": "npm ci && npm run build"},
    ),
    "Nuxt": (
        {"package.json": '{"scripts": {"build": "nuxt build"}, "dependencies": {"nuxt": "3"}}'},
        {"command": "HOST=127.0.0.1 node .output/server/index.mjs"},
    ),
    "Nuxt as a page": (
        {"package.json": '{"scripts": {"build": "nuxt generate"}, "dependencies": {"nuxt": "3"}}'},
        {"command": SERVER.replace(".site", ".output/public"), "build": "npm install && npm run build"},
    ),
    "SvelteKit": (
        {
            "package.json": '{"scripts": {"build": "vite build"}, "devDependencies": {"@sveltejs/adapter-node": "5"}}',
            "yarn.lock": "",
            ".yarnrc.yml": "",
        },
        {"command": "HOST=127.0.0.1 node build", "build": "yarn install --immutable && yarn run build"},
    ),
    "a tool that package.json names, without a lock": (
        {"package.json": '{"packageManager": "pnpm@9.1.0", "scripts": {"start": "node ."}}'},
        {"command": "pnpm start", "build": "pnpm install"},
    ),
    "Deno": (
        {"deno.json": '{"tasks": {"build": "x", "start": "deno run -A main.ts"}}'},
        {"command": "deno task start", "build": "deno task build"},
    ),
    "Rust": (
        {"Cargo.toml": '[package]\nname = "shop-api"\nversion = "1"\n', "src/main.rs": "", "Cargo.lock": ""},
        {"command": "./target/release/shop-api", "build": "cargo build --release --locked", "cache": ("target",)},
    ),
    "Spring Boot": (
        {"pom.xml": "<artifactId>spring-boot-starter-actuator</artifactId>", "mvnw": ""},
        {
            "command": "java -jar target/*.jar --server.address=127.0.0.1 --server.port=$PORT",
            "build": "./mvnw -q -DskipTests package",
            "health": Health(path="/actuator/health", interval=2),
        },
    ),
    "Gradle's application": (
        {"build.gradle.kts": 'application { mainClass.set("x") }', "gradlew": ""},
        {"build": "./gradlew -q installDist"},
    ),
    "Phoenix": (
        {"mix.exs": '{:phoenix, "~> 1.7"}'},
        {"command": "MIX_ENV=prod PHX_SERVER=true mix phx.server", "cache": ("deps", "_build")},
    ),
    "ASP.NET": (
        {"src/Shop/Shop.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web">', "test/T.csproj": "<Project>"},
        {
            "command": "ASPNETCORE_URLS=http://127.0.0.1:$PORT dotnet out/Shop.dll",
            "build": "dotnet publish src/Shop/Shop.csproj -c Release -o out",
        },
    ),
    "Dockerfile": (
        {"Dockerfile": "FROM node\nEXPOSE 3000/tcp\n"},
        {"image": Image(build=Build(context=".")), "port": 3000, "source": None},
    ),
    "Dockerfile beside package.json": (
        {"Dockerfile": "FROM node\nENV PORT=4000\n", "package.json": '{"scripts": {"start": "node ."}}'},
        {"image": Image(build=Build(context=".")), "port": 4000, "source": None},
    ),
    "Dockerfile without port": ({"Dockerfile": "FROM node\n"}, {"port": 8080}),
    "Dockerfile with a port that is none": ({"Dockerfile": "FROM node\nEXPOSE 99999\n"}, {"port": 8080}),
}


@pytest.mark.parametrize(("files", "guessed"), FOLDERS.values(), ids=list(FOLDERS))
def test_a_starter_loads_and_fits_its_folder(
    tmp_path: Path, files: Mapping[str, str], guessed: Mapping[str, object]
) -> None:
    """Twelve lines at most but for what is left to do, with the command of what stands there."""
    folder = tmp_path / "My Shop 2"
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    folder.mkdir(exist_ok=True)
    start = starter(folder)
    text = start.text
    (folder / "crossfade.yaml").write_text(text)
    app = load(folder / "crossfade.yaml")
    assert app.name == "my-shop-2"
    assert {key: getattr(app.services["web"], key) for key in guessed} == guessed
    assert len([line for line in text.splitlines() if not line.startswith("#")]) <= 12
    assert bool(start.recognised) == (guessed.get("command") != SERVER)
    assert app.services["web"].replicas == 2
    assert isinstance(app.services["web"], Service)


def test_every_line_that_was_guessed_says_from_what(tmp_path: Path) -> None:
    """A newcomer knows what to check."""
    (tmp_path / "Procfile").write_text("web: ./run\n")
    assert "# from Procfile" in starter(tmp_path).text


def made(folder: Path, files: Mapping[str, str]) -> Start:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    start = starter(folder)
    (folder / "crossfade.yaml").write_text(start.text)
    return start


WORKERS = {
    "celery": (
        {
            "requirements.txt": "flask\ngunicorn\ncelery\n",
            "app.py": "app = Flask(__name__)",
            "jobs/tasks.py": "c = Celery()",
        },
        ".venv/bin/celery -A jobs.tasks worker",
    ),
    "celery of Django": (
        {
            "requirements.txt": "django\ncelery[redis]\n",
            "manage.py": "",
            "shop/wsgi.py": "",
            "shop/celery.py": "Celery(",
        },
        ".venv/bin/celery -A shop worker",
    ),
    "celery in an image": (
        {"Dockerfile": "FROM python\nEXPOSE 8000\n", "requirements.txt": "celery", "worker.py": "Celery("},
        "celery -A worker worker",
    ),
    "rq": ({"requirements.txt": "flask\nrq\n", "app.py": "app = Flask(__name__)"}, ".venv/bin/rq worker"),
    "solid queue": ({"Gemfile": "gem \"rails\"\ngem 'solid_queue'\n"}, "bin/jobs"),
    "horizon": ({"composer.json": '{"require": {"laravel/horizon": "5"}}', "artisan": ""}, "php artisan horizon"),
    "messenger": (
        {"composer.json": '{"require": {"symfony/messenger": "7"}}', "public/index.php": ""},
        "php bin/console messenger:consume async",
    ),
    "a script": (
        {"package.json": '{"scripts": {"start": "node .", "worker:dev": "x", "worker": "y"}}', "pnpm-lock.yaml": ""},
        "pnpm run worker",
    ),
}


@pytest.mark.parametrize(("files", "command"), WORKERS.values(), ids=list(WORKERS))
def test_a_worker_that_nothing_starts_is_told(files: Mapping[str, str], command: str, tmp_path: Path) -> None:
    """The app is deployed without it otherwise, and nothing says so."""
    said = [todo.what for todo in made(tmp_path, files).todos if "write a worker beside web" in todo.what]
    assert [one.rpartition("`command: ")[2] for one in said] == [f"{command}`"]


def test_a_procfile_says_all_that_runs(tmp_path: Path) -> None:
    """Whoever wrote it knows."""
    assert not made(tmp_path, {"Procfile": "web: gunicorn x\n", "requirements.txt": "gunicorn\ncelery\n"}).todos


MIGRATIONS = {
    "alembic": (
        {"requirements.txt": "fastapi\nuvicorn\n", "main.py": "app = FastAPI()", "alembic.ini": ""},
        ".venv/bin/alembic upgrade head",
    ),
    "Flask-Migrate": (
        {"requirements.txt": "Flask\nFlask-Migrate\n", "app.py": "app = Flask(__name__)"},
        ".venv/bin/flask db upgrade",
    ),
    "doctrine": (
        {"composer.json": '{"require": {"doctrine/doctrine-migrations-bundle": "3"}}', "public/index.php": ""},
        "php bin/console doctrine:migrations:migrate --no-interaction --allow-no-migration",
    ),
}


@pytest.mark.parametrize(("files", "command"), MIGRATIONS.values(), ids=list(MIGRATIONS))
def test_a_migration_that_a_tools_file_speaks_of_is_told(
    files: Mapping[str, str], command: str, tmp_path: Path
) -> None:
    """It is not run without knowing, either."""
    what = f"write hooks: {{migrate: {command}}} when the app has a database"
    assert Todo(Rank.ASSUMED, "services.web.hooks.migrate", what) in made(tmp_path, files).todos


FIXED = {
    "Go": (
        "main.go",
        'package main\nfunc main() { http.ListenAndServe(":8080", nil) }',
        {"go.mod": "module x\n"},
        8080,
    ),
    "Rust": ("src/main.rs", 'TcpListener::bind("0.0.0.0:3000")', {"Cargo.toml": '[package]\nname = "x"\n'}, 3000),
    "Node": ("server.js", "app.listen(3000)", {"package.json": '{"scripts": {"start": "node server.js"}}'}, 3000),
    "Deno": (
        "main.ts",
        "Deno.serve({ port: 8000 }, app)",
        {"deno.json": '{"tasks": {"start": "deno run main.ts"}}'},
        8000,
    ),
}


@pytest.mark.parametrize(("path", "source", "others", "port"), FIXED.values(), ids=list(FIXED))
def test_a_port_that_is_written_down_is_told(
    path: str, source: str, others: Mapping[str, str], port: int, tmp_path: Path
) -> None:
    """Such an app never gets healthy at the port that it is given; one that reads PORT does."""
    what = f"have it listen on $PORT: {path} says {port}, and nothing here reads PORT"
    assert Todo(Rank.NEVER_HEALTHY, "services.web.command", what) in made(tmp_path, {path: source, **others}).todos
    reads = {path: f"{source} // else PORT\n", **others}
    assert not [todo for todo in made(tmp_path, reads).todos if "PORT" in todo.what]


def test_a_path_of_health_says_whose_it_is(tmp_path: Path) -> None:
    """Spring's actuator is no HEALTHCHECK of a Dockerfile."""
    found = made(tmp_path, {"pom.xml": "<a>spring-boot-starter-actuator org.springframework.boot spring-boot</a>"})
    assert re.search(r"health: \{path: /actuator/health, .*# as Spring Boot has it", found.text)


def test_a_procfile_has_more_than_web(tmp_path: Path) -> None:
    """`release` is a hook, what runs beside it are workers, one that runs by the clock is alone."""
    processes = "web: ./run\nrelease: ./migrate 'it'\nworker: ./work\nclock: ./tick\nconsole: ./ask\n"
    start = made(tmp_path, {"Procfile": processes})
    services = load(tmp_path / "crossfade.yaml").services
    assert services["web"].hooks.migrate == "./migrate 'it'"
    assert {name: (one.kind, one.command) for name, one in services.items()} == {
        "web": ("web", "./run"),
        "worker": ("worker", "./work"),
        "clock": ("worker", "./tick"),
    }
    assert (services["clock"].replicas, services["clock"].deploy.strategy) == (1, "recreate")
    assert start.todos == []


def test_a_dockerfile_says_how_it_is_checked_and_built(tmp_path: Path) -> None:
    """By each deploy; what it does not say is left to do."""
    start = made(tmp_path, {"Dockerfile": "FROM x\nEXPOSE 3000\nHEALTHCHECK CMD curl -f http://localhost:3000/up\n"})
    assert load(tmp_path / "crossfade.yaml").services["web"].health.path == "/up"
    assert "image: {build: .}" in start.text
    assert "write where it listens" in str(made(tmp_path, {"Dockerfile": "FROM x\n"}).todos)


def test_the_parts_of_a_monorepo_are_services(tmp_path: Path) -> None:
    """The page gets all requests that the API does not."""
    start = made(
        tmp_path,
        {
            "package.json": '{"workspaces": ["apps/*"]}',
            "apps/web/package.json": '{"scripts": {"start": "node ."}}',
            "apps/api/main.py": "app = FastAPI()\n",
            "apps/api/requirements.txt": "fastapi\n",
            "docs/package.json": '{"scripts": {"start": "x"}}',
        },
    )
    services = load(tmp_path / "crossfade.yaml").services
    assert {name: (one.source, one.routes[0].path) for name, one in services.items()} == {
        "api": ("apps/api", "/api/*"),
        "web": ("apps/web", "/*"),
    }
    assert list(start.recognised) == ["api: Python", "web: Node"]


def test_the_variables_of_a_dotenv_come_along(tmp_path: Path) -> None:
    """Apps read it from their folder, and a release has no file that git ignores."""
    node = '{"scripts": {"start": "node ."}}'
    made(tmp_path, {"api/package.json": node, "api/.env": "A=1\n", "web/package.json": node, "web/env.example": "B=\n"})
    start = starter(tmp_path)
    (tmp_path / "crossfade.yaml").write_text(start.text)
    services = load(tmp_path / "crossfade.yaml").services
    assert {name: [one.path for one in service.env_file] for name, service in services.items()} == {
        "api": ["api/.env"],
        "web": [],
    }
    assert [str(todo) for todo in start.todos] == [
        (
            "services.web.env_file: give it the variables of web/env.example: write web/.env as that has it, and "
            "`env_file: [web/.env]`"
        )
    ]


def test_nobodys_dotenv_is_taken_where_nothing_is_recognised(tmp_path: Path) -> None:
    """What serves the files as they are reads no variables."""
    assert "env_file" not in made(tmp_path, {".env": "A=1\n", ".env.example": "A=\n"}).text


def test_where_nothing_is_recognised_it_says_so(tmp_path: Path) -> None:
    """And names the Compose file that stands beside it."""
    start = made(tmp_path, {"compose.yaml": "services: {}\n"})
    assert (list(start.recognised), start.compose) == ([], "compose.yaml")
    assert start.todos[0].what == "write what starts the app; nothing was recognised, so its files are served"
    assert load(tmp_path / "crossfade.yaml").listen.host == "127.0.0.1"


def test_files_are_served_without_what_git_or_docker_ignores(tmp_path: Path) -> None:
    """On loopback, from a folder of its own; hidden files and code stay out too."""
    files = {
        "index.html": "",
        "css/a.css": "",
        "js/app.js": "",
        "js/private/notes.txt": "",
        ".env": "KEY=geheim",
        "backup.sql": "",
        "dump/all.csv": "",
        "local.txt": "",
        ".gitignore": "local.txt\n",
        ".dockerignore": "dump\njs/private\n",
        "compose.yaml": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    start = starter(tmp_path)
    (tmp_path / "crossfade.yaml").write_text(start.text)
    web = load(tmp_path / "crossfade.yaml").services["web"]
    assert web.build == "mkdir -p .site && cp -R --parents css index.html js/app.js .site/"
    assert web.command == SERVER
    subprocess.run(["sh", "-c", web.build], cwd=tmp_path, check=True)
    copied = sorted(str(path.relative_to(tmp_path / ".site")) for path in (tmp_path / ".site").rglob("*.*"))
    assert copied == ["css/a.css", "index.html", "js/app.js"]


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("shop", "shop"),
        ("My Shop 2", "my-shop-2"),
        ("2nd", "nd"),
        ("___", "app"),
        ("a" * 50, "a" * 31),
        ("über", "ber"),
    ],
)
def test_the_folders_name_becomes_an_apps_name(folder: str, name: str) -> None:
    """Small letters, digits and hyphens, a letter first."""
    assert app_name(Path("/srv") / folder) == name


@pytest.mark.parametrize(
    ("files", "guessed"),
    [
        ({"package.json": "[" * 100_000}, {"command": SERVER}),
        ({"package.json": '{"scripts":' * 50_000}, {"command": SERVER}),
        ({"Dockerfile": "FROM x\nEXPOSE 80\nCMD " + "[" * 100_000 + "\n"}, {"port": 80}),
        ({"Dockerfile": "FROM x\nEXPOSE 80\nHEALTHCHECK CMD curl -f 'http://localhost:80/up?a={1,2}'\n"}, {"port": 80}),
        ({"Procfile": "web: [ -f x ] || ./run --on {a,b}\n"}, {"command": "[ -f x ] || ./run --on {a,b}"}),
        ({"Procfile": "web: '12'\n"}, {"command": "'12'"}),
        (
            {"Procfile": "web: ./run -w ${WORKERS:-2} -p ${PORT:-80}\nrelease: ./go ${STAGE}\n"},
            {"command": "./run -w ${WORKERS:-2} -p ${PORT:-80}"},
        ),
    ],
)
def test_whatever_stands_there_the_file_loads(
    tmp_path: Path, files: Mapping[str, str], guessed: Mapping[str, object]
) -> None:
    """Brackets by the thousand, words that YAML takes for something else, variables that only a shell knows."""
    made(tmp_path, files)
    web = load(tmp_path / "crossfade.yaml", variables={}).services["web"]
    assert {key: getattr(web, key) for key in guessed} == guessed


def test_a_part_of_a_monorepo_may_have_any_name(tmp_path: Path) -> None:
    """Also one that means something in a list."""
    made(tmp_path, {"apps/a,b}: #1/Dockerfile": "FROM x\nEXPOSE 80\n"})
    (service,) = load(tmp_path / "crossfade.yaml").services.values()
    assert service.image == Image(build=Build(context="apps/a,b}: #1"))


def test_a_part_of_a_workspace_is_built_from_its_root(tmp_path: Path) -> None:
    """There the one lock is, and what the parts share."""
    package = '{"scripts": {"build": "next build", "start": "next start"}, "dependencies": {"next": "15"}}'
    files = {
        "package.json": '{"packageManager": "pnpm@9.1.0"}',
        "pnpm-workspace.yaml": "packages: [apps/*]\n",
        "pnpm-lock.yaml": "",
        "apps/web/package.json": package,
        "apps/docs-site/package.json": '{"scripts": {"start": "node ."}}',
    }
    made(tmp_path, files)
    services = load(tmp_path / "crossfade.yaml").services
    assert {name: (one.source, one.build, one.command) for name, one in services.items()} == {
        "web": (
            ".",
            "pnpm install --frozen-lockfile && pnpm --filter ./apps/web... run build",
            "cd apps/web && npx next start -H 127.0.0.1 -p $PORT",
        ),
        "docs-site": (".", "pnpm install --frozen-lockfile", "cd apps/docs-site && npm start"),
    }


def test_the_install_of_a_workspace_is_never_left_out(tmp_path: Path) -> None:
    """Pnpm writes into each part, too, and the root need not have a package.json."""
    start = '{"scripts": {"start": "node ."}}'
    made(tmp_path, {"pnpm-workspace.yaml": "", "pnpm-lock.yaml": "", "apps/web/package.json": start})
    (service,) = load(tmp_path / "crossfade.yaml").services.values()
    assert (service.build, service.cache) == ("pnpm install --frozen-lockfile", ("node_modules",))
    assert not service.built_from


def test_a_procfiles_database_is_no_worker(tmp_path: Path) -> None:
    """Two of them at one port, as in each deploy, and data that ends with the release: it belongs under stores."""
    start = made(tmp_path, {"Procfile": "web: ./run\nredis: redis-server config/redis.conf\n"})
    assert list(load(tmp_path / "crossfade.yaml").services) == ["web"]
    assert [todo.what for todo in start.todos] == [
        "write redis (`redis-server config/redis.conf`) under stores, with an image, a port and a volume: it keeps data"
    ]


@pytest.mark.parametrize(
    "dockerfile",
    [
        "FROM x\nCOPY backend/app /app\n",
        'FROM x\nCOPY ["uv.lock", "backend/app", "/app/"]\n',
        "FROM x\nRUN --mount=type=bind,source=uv.lock,target=uv.lock uv sync\nADD . /app\n",
        "FROM x\nCOPY . .\nWORKDIR /app/src/backend/\n",
        'FROM x\nCOPY . .\nWORKDIR "/app/src/backend"\n',
        "FROM x\nCOPY ./.yarn/ /app/.yarn/\nCOPY /uv.lock ./\n",
    ],
)
def test_an_image_is_built_from_where_what_it_copies_lies(dockerfile: str, tmp_path: Path) -> None:
    """A Dockerfile of a part may copy from the root: its own folder has nothing of that."""
    files = {
        "src/backend/Dockerfile": f"{dockerfile}EXPOSE 80\n",
        "backend/app/main.py": "",
        "uv.lock": "",
        ".yarn/a": "",
    }
    made(tmp_path, files)
    built = load(tmp_path / "crossfade.yaml").services["backend"].image
    assert built == Image(build=Build(context=".", dockerfile="src/backend/Dockerfile"))


def test_an_image_of_a_part_is_built_from_its_own_folder(tmp_path: Path) -> None:
    """Where what it copies is there, or nowhere."""
    files = {
        "api/Dockerfile": "FROM x AS a\nCOPY go.* ./\nCOPY --from=a /b /c\nEXPOSE 80\n",
        "api/go.mod": "",
        "go.work": "",
    }
    made(tmp_path, files)
    assert load(tmp_path / "crossfade.yaml").services["api"].image == Image(build=Build(context="api"))


def test_a_check_at_another_port_is_asked_there(tmp_path: Path) -> None:
    """As FrankenPHP's, which listens at 80 where nothing says otherwise."""
    check = "HEALTHCHECK CMD curl -f http://localhost:2019/metrics\n"
    made(tmp_path, {"Dockerfile": f'FROM dunglas/frankenphp\n{check}CMD ["frankenphp", "run"]\n'})
    web = load(tmp_path / "crossfade.yaml").services["web"]
    assert (web.port, web.health.path, web.health.port) == (80, "/metrics", 2019)


def test_modules_beside_a_part_belong_to_it(tmp_path: Path) -> None:
    """What its go.mod replaces by a folder lies in its releases, too; one that is within it does so anyway."""
    module = "module x\nreplace example.com/common => ../common/\nreplace (\n\ta => b v1\n\tc => ./c\n)\n"
    files = {
        "internal/users/go.mod": module,
        "internal/users/main.go": "package main\n",
        "internal/common/go.mod": "m\n",
    }
    made(tmp_path, files)
    users = load(tmp_path / "crossfade.yaml").services["users"]
    assert (users.source, users.also) == ("internal/users", ("internal/common",))


def test_where_nothing_is_recognised_no_line_is_written_that_nobody_reads(tmp_path: Path) -> None:
    """A folder of hundreds of files that are no page is not served."""
    files = {f"{part}/{name}": "" for part in range(50) for name in ("read.me", "code.py")}
    start = made(tmp_path, files)
    assert load(tmp_path / "crossfade.yaml").services["web"].build == "mkdir -p .site"
    assert start.todos[0].what.endswith("and a web server without files stands in for it")


def test_who_is_asked_for_what_nobody_said_is_told(tmp_path: Path) -> None:
    """A page answers at /, an API may not."""
    node = '{"scripts": {"start": "node ."}}'
    start = made(tmp_path, {"api/package.json": node, "web/index.html": ""})
    assert list(start.assumed) == ["api"]


def test_a_link_is_passed_by_of_which_the_disk_says_nothing(tmp_path: Path) -> None:
    """As /proc/1/cwd in a container, where nobody may look; here its target's name is too long for any disk."""
    (tmp_path / "index.html").write_text("")
    (tmp_path / "link").symlink_to("a" * 300)
    build = next(value for key, value, _ in pages.nothing(tmp_path).lines if key == "build")
    assert build == "mkdir -p .site && cp -R --parents index.html .site/"
