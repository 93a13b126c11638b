"""Projects in Ruby, Go and PHP."""

import re
from dataclasses import replace
from pathlib import Path

from crossfade.file.init.guess.found import LOCAL, GuessedService, in_flow, process, text
from crossfade.file.init.guess.javascript import built_page
from crossfade.file.init.todo import Rank, Todo

_BESIDE = re.compile(r"=>\s*((?:\./)?\.\./\S+?)/?\s*$", re.MULTILINE)  # replace example.com/common => ../common
_NO_PROGRAMS = re.compile(r"[._].*|vendor|testdata|tests?|e2e|examples?|tools?|scripts?|docs?|hack")


def ruby(folder: Path) -> GuessedService | None:
    """A Gemfile with Rails, or a config.ru."""
    gems = text(folder / "Gemfile")
    rails = bool(re.search(r"""^\s*gem ["']rails["']""", gems, re.MULTILINE)) or (folder / "bin/rails").exists()
    if not gems or not (rails or (folder / "config.ru").exists()):
        return None
    build = "bundle config set --local path vendor/bundle && bundle install"
    if rails and "puma" in gems:
        command, server = f"bundle exec puma -b tcp://{LOCAL}:$PORT", "puma"
    elif rails:
        command, server = f"bundle exec rails server -b {LOCAL} -p $PORT", "rails"
    else:
        command, server = f"bundle exec rackup -o {LOCAL} -p $PORT", "config.ru"
    migrate = "write hooks: {migrate: bundle exec rails db:migrate} when the app has a database"
    env = "write env: {RAILS_ENV: production}, and RAILS_MASTER_KEY or SECRET_KEY_BASE under secrets"
    env += ": without them it runs as in development"
    todos = (Todo(Rank.ASSUMED, "env", env), Todo(Rank.ASSUMED, "hooks.migrate", migrate)) if rails else ()
    return process("Ruby", command, f"from Gemfile and {server}", build=build, todos=todos)


def go(folder: Path) -> GuessedService | None:
    """A go.mod with a main package: at the top, one below cmd/, or the only one that is in a folder."""
    if not (module := text(folder / "go.mod")):
        return None
    commands = [path.parent.name for path in sorted(folder.glob("cmd/*/*.go")) if "package main" in text(path)]
    if any("package main" in text(path) for path in folder.glob("*.go")):
        place, name = ".", "app"
    elif commands:
        name = next((one for one in ("server", "web", "api") if one in commands), commands[0])
        place = f"./cmd/{name}"
    elif len(inner := {path.parent.name for path in folder.glob("*/*.go") if _is_program(path)}) == 1:
        name = inner.pop()
        place = f"./{name}"
    else:
        return None
    why = "from go.mod; it must listen on $PORT"
    made = process("Go", f"./bin/{name}", why, build=f"go build -o bin/{name} {place}")
    if not (beside := sorted(set(_BESIDE.findall(module)))):
        return made
    also = ("also", f"[{', '.join(map(in_flow, beside))}]", "modules beside it, by go.mod")
    return replace(made, lines=(made.lines[0], also, *made.lines[1:]))


def _is_program(path: Path) -> bool:
    return not _NO_PROGRAMS.fullmatch(path.parent.name) and "package main" in text(path)


def php(folder: Path) -> GuessedService | None:
    """A composer.json: Laravel by its artisan, else what lies in public."""
    if not text(folder / "composer.json"):
        return None
    build = "composer install --no-dev --optimize-autoloader"
    if built := built_page(folder):
        build += f" && {built[0]}"
    todo = Todo(
        Rank.ASSUMED, "command", "write a server for production, such as frankenphp: this one answers few at once"
    )
    if (folder / "artisan").exists():
        command = f"php artisan serve --no-reload --host={LOCAL} --port=$PORT"
        migrate = Todo(
            Rank.ASSUMED,
            "hooks.migrate",
            "write hooks: {migrate: php artisan migrate --force} when the app has a database",
        )
        return process("Laravel", command, "from artisan", build=build, todos=(todo, migrate))
    place = next((name for name in ("public", "web", "htdocs") if (folder / name / "index.php").exists()), "")
    if not place:
        return None
    return process("PHP", f"php -S {LOCAL}:$PORT -t {place}", f"from {place}/index.php", build=build, todos=(todo,))


def built_with(folder: Path, command: str) -> str:
    """What makes the program that a Procfile's command runs; empty when nothing here does."""
    if text(folder / "pom.xml"):
        return f"{'./mvnw' if (folder / 'mvnw').exists() else 'mvn'} -q -DskipTests package"
    if text(folder / "build.gradle") or text(folder / "build.gradle.kts"):
        return f"{'./gradlew' if (folder / 'gradlew').exists() else 'gradle'} build -x test"
    program = command.split(maxsplit=1)[0].removeprefix("bin/").removeprefix("./bin/") if command.split() else ""
    found = go(folder)
    if found and program and "/" not in program:
        made = next(value for key, value, _ in found.lines if key == "build")
        return re.sub(r"-o bin/\S+", f"-o bin/{program}", made)
    return ""
