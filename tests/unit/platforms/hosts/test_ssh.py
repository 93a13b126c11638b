"""How hosts are called by SSH, and what is said when they cannot be."""

from pathlib import Path

import pytest

from crossfade.core.errors import WrongInputError
from crossfade.platforms.hosts.ssh import HostConnection, Login, in_shell, refusal

CHANGED = "@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@@\nHost key verification failed.\n"


@pytest.mark.parametrize(
    ("host", "destination", "port"),
    [
        ("a.example.com", "a.example.com", None),
        ("deploy@a.example.com", "deploy@a.example.com", None),
        ("deploy@a.example.com:2222", "deploy@a.example.com", "2222"),
        ("deploy@[2001:db8::7]:2222", "deploy@2001:db8::7", "2222"),
        ("[2001:db8::7]", "2001:db8::7", None),
    ],
)
def test_a_host_is_split_into_what_ssh_takes(host: str, destination: str, port: str | None) -> None:
    login = Login(host=host)
    assert login.destination == destination
    assert login.options[-2:] == ["-p", port] if port else "-p" not in login.options


def test_nobody_is_asked_and_no_unknown_host_is_spoken_to() -> None:
    options = Login(host="a", key="/k", known_hosts="/h").options
    said = {"BatchMode=yes", "StrictHostKeyChecking=yes", "ForwardAgent=no", "IdentityFile=/k", "UserKnownHostsFile=/h"}
    assert said <= set(options)


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (CHANGED, "the key of a changed"),
        ("No ED25519 host key is known for a and you have requested strict checking.\n", "the key of a is not known"),
        ("deploy@a: Permission denied (publickey).\n", "a lets nobody in"),
        ("ssh: connect to host a port 22: Connection refused\n", "Connection refused"),
        ("", "a does not answer"),
    ],
)
def test_what_ssh_says_becomes_one_sentence_with_a_way_out(said: str, cause: str) -> None:
    found = refusal(Login(host="a"), said)
    assert cause in found.cause
    assert "\n" not in found.cause
    assert found.way_out


def test_a_key_that_is_not_here_is_said_before_anything_is_tried(tmp_path: Path) -> None:
    """SSH would go on without it, and blame the host."""
    with pytest.raises(WrongInputError, match="the key /nowhere/id does not exist"):
        HostConnection(Login(host="a", key="/nowhere/id"), tmp_path).open()


def test_a_command_is_for_sh_whatever_shell_the_user_has() -> None:
    assert in_shell("echo '$HOME'").startswith("exec sh -c '")
