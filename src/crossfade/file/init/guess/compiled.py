"""Projects whose build makes a program: in Rust, Java and Kotlin, Elixir, C#."""

import re
from dataclasses import replace
from pathlib import Path

from crossfade.file.init.guess.found import LOCAL, GuessedService, process, text
from crossfade.file.init.todo import Rank, Todo

_CRATE = re.compile(r'^\[package\][^\[]*?^name\s*=\s*"([\w-]+)"', re.MULTILINE | re.DOTALL)
_LISTENS = "it must listen on $PORT"


def look(folder: Path) -> GuessedService | None:
    """By the file that says how it is built."""
    return rust(folder) or java(folder) or elixir(folder) or dotnet(folder)


def rust(folder: Path) -> GuessedService | None:
    """A Cargo.toml of one package with a program."""
    name = _CRATE.search(text(folder / "Cargo.toml"))
    if name is None or not (folder / "src/main.rs").is_file():
        return None
    build = f"cargo build --release{' --locked' if (folder / 'Cargo.lock').exists() else ''}"
    return process("Rust", f"./target/release/{name[1]}", f"from Cargo.toml; {_LISTENS}", build=build)


def java(folder: Path) -> GuessedService | None:
    """Spring Boot and Quarkus by Maven or Gradle, and what Gradle's application plugin installs."""
    maven = text(folder / "pom.xml")
    gradle = text(folder / "build.gradle") or text(folder / "build.gradle.kts")
    said = maven or gradle
    with_maven = f"{'./mvnw' if (folder / 'mvnw').exists() else 'mvn'} -q -DskipTests package"
    by_gradle = "./gradlew" if (folder / "gradlew").exists() else "gradle"
    from_file = "from pom.xml" if maven else "from build.gradle"
    if "spring-boot" in said or "org.springframework.boot" in said:
        build, made = (with_maven, "target") if maven else (f"{by_gradle} -q bootJar", "build/libs")
        command = f"java -jar {made}/*.jar --server.address={LOCAL} --server.port=$PORT"
        found = process("Spring Boot", command, from_file, build=build)
        return replace(found, health="/actuator/health") if "actuator" in said else found
    if "quarkus" in said:
        build, made = (with_maven, "target") if maven else (f"{by_gradle} -q build -x test", "build")
        options = f"-Dquarkus.http.host={LOCAL} -Dquarkus.http.port=$PORT"
        return process("Quarkus", f"java {options} -jar {made}/quarkus-app/quarkus-run.jar", from_file, build=build)
    if "mainClass" in gradle:
        start = "exec $(ls build/install/*/bin/* | grep -v '[.]bat$')"
        return process("Java", start, f"{from_file}; {_LISTENS}", build=f"{by_gradle} -q installDist")
    return None


def elixir(folder: Path) -> GuessedService | None:
    """Phoenix, by its mix.exs."""
    mix = text(folder / "mix.exs")
    if ":phoenix," not in mix:
        return None
    steps = ["deps.get --only prod", "compile", *(["assets.deploy"] if "assets.deploy" in mix else [])]
    build = f"mix local.hex --force && mix local.rebar --force && MIX_ENV=prod mix do {' + '.join(steps)}"
    base = "name SECRET_KEY_BASE under secrets and export it: mix phx.gen.secret makes one"
    todos = [Todo(Rank.NOTHING_RUNS, "secrets", base)]
    if "ecto" in mix:
        migrate = "write hooks: {migrate: MIX_ENV=prod mix ecto.migrate} when the app has a database"
        todos.append(Todo(Rank.ASSUMED, "hooks.migrate", migrate))
    command = "MIX_ENV=prod PHX_SERVER=true mix phx.server"
    return process("Phoenix", command, "from mix.exs; config/runtime.exs reads PORT", build=build, todos=tuple(todos))


def dotnet(folder: Path) -> GuessedService | None:
    """ASP.NET: the one project here that is made for the web."""
    projects = [path for where in ("*", "*/*", "*/*/*") for path in sorted(folder.glob(f"{where}.csproj"))]
    found = [path for path in projects if "Microsoft.NET.Sdk.Web" in text(path)]
    if len(found) != 1:
        return None
    project = found[0].relative_to(folder)
    command = f"ASPNETCORE_URLS=http://{LOCAL}:$PORT dotnet out/{project.stem}.dll"
    return process("ASP.NET", command, f"from {project.name}", build=f"dotnet publish {project} -c Release -o out")
