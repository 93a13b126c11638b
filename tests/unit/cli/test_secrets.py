"""Where a deploy finds the values of secrets."""

from pathlib import Path
from typing import Any

import pytest

from crossfade.cli.secrets import given, lacking
from crossfade.core.errors import WrongInputError
from crossfade.file.deployable import deployable

TEXT = "app: shop\nservices:\n  web: {source: ., command: run, "


def wanted(folder: Path, keys: str, **files: str) -> dict[str, Any]:
    (folder / "crossfade.yaml").write_text(f"{TEXT}{keys}}}\n")
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_text(content)
    return deployable(folder / "crossfade.yaml", called="crossfade.yaml", variables={})


def test_the_shell_wins_over_sources_files_and_dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is only in an env_file comes from there."""
    monkeypatch.setenv("A", "shell")
    monkeypatch.setenv("ONLY", "shell")
    monkeypatch.delenv("B", raising=False)
    keys = (
        "secrets: {A: {command: exit 1}, B: {file: b.txt}, C: {command: 'echo c; exit 0'}, D: , E: }, env_file: w.env"
    )
    asked = wanted(tmp_path, keys, b_txt="b\n", w_env="ONLY=file\nD=env_file\n", _env="D=dotenv\nE=dotenv\n")
    services, values = given(asked)
    assert values["shop/web"] == {"A": "shell", "B": "b", "C": "c", "D": "env_file", "E": "dotenv", "ONLY": "file"}
    assert services[0]["secrets"] == ["A", "B", "C", "D", "E", "ONLY"]


def test_a_secret_is_made_of_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of this shell and of `.env`, when it is deployed; where one of them is set nowhere it has no value here."""
    monkeypatch.setenv("PASSWORD", "p$a")
    monkeypatch.delenv("NAME", raising=False)
    url = "postgres://app:${PASSWORD}@${HOST_OF_DB:-db}/${NAME}"
    asked = wanted(
        tmp_path, f"secrets: {{URL: {{value: '{url}'}}, GONE: {{value: '${{NOWHERE}}'}}}}", _env="NAME=shop\n"
    )
    assert "p$a" not in str(asked)
    _, values = given(asked)
    assert values["shop/web"] == {"URL": "postgres://app:p$a@db/shop"}


def test_all_that_failed_is_named_at_once(tmp_path: Path) -> None:
    """What has no value here may be known from an earlier deploy."""
    keys = "secrets: {KNOWN: , MAYBE: {optional: true}, F: {file: none.txt}, C: {command: exit 3}}"
    with pytest.raises(WrongInputError) as error:
        given(wanted(tmp_path, keys))
    assert error.value.cause == (
        "the secret F cannot be read from none.txt: No such file or directory; the secret C: its command ended with 3"
    )


def test_an_optional_secret_without_a_value_is_not_asked_for(tmp_path: Path) -> None:
    """The service goes without it."""
    services, values = given(wanted(tmp_path, "secrets: {MAYBE: {optional: true}}"))
    assert (services[0]["secrets"], values) == ([], {"shop/web": {}})


def test_a_command_runs_once_in_the_files_folder(tmp_path: Path) -> None:
    """Whoever asks for what it prints."""
    keys = "secrets: {A: {command: 'echo x >> ran; cat ran'}, B: {command: 'echo x >> ran; cat ran'}}"
    _, values = given(wanted(tmp_path, keys))
    assert values["shop/web"] == {"A": "x", "B": "x"}
    assert (tmp_path / "ran").read_text() == "x\n"


def test_what_a_secret_is_made_of_and_lacks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables and not the secret are what somebody has to set; one that the shell has itself lacks nothing."""
    monkeypatch.setenv("HOST", "db")
    monkeypatch.setenv("GIVEN", "g")
    for name in ("NAME", "TOKEN"):
        monkeypatch.delenv(name, raising=False)
    keys = "secrets: {URL: {value: '${HOST}/${NAME}/${TOKEN:?from the vault}'}, GIVEN: {value: '${NAME}'}, PLAIN: }"
    asked = wanted(tmp_path, keys)
    assert lacking(asked) == {"shop/web": {"URL": "NAME, TOKEN: from the vault"}}


def test_files_of_values_may_lie_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One secret's own, and one of variables."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "token").write_text("geheim\n")
    (tmp_path / "home" / "web.env").write_text("ONLY=file\n")
    _, values = given(wanted(tmp_path, "secrets: {TOKEN: {file: ~/token}}, env_file: ~/web.env"))
    assert values["shop/web"] == {"TOKEN": "geheim", "ONLY": "file"}
