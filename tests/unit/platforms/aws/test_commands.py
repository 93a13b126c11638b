"""A command for a host that AWS's answer was lost to: sent once, whatever became of that."""

from datetime import UTC, datetime, timedelta
from typing import Any

from crossfade.engine.clock import SystemClock
from crossfade.platforms.aws.clients import Answer, Check, Clients, unfenced
from crossfade.platforms.aws.commands import Commands, Sent
from crossfade.platforms.aws.refusals import AwsError


class Hasty(SystemClock):
    """One whose waits take no time."""

    async def sleep(self, seconds: float) -> None:
        """At once."""


class Unheard(Clients):
    """The first answer to who sends a command is lost, and it was `done` or not; there was one of the name before."""

    def __init__(self, *, done: bool) -> None:
        super().__init__("us-east-1", clock=Hasty())
        self.commands: list[Answer] = []
        self._add("old", datetime.now(UTC) - timedelta(hours=1))
        self._done, self._sends = done, 0

    def _ask(self, service: str, operation: str, parameters: Any) -> Answer:
        if operation == "list_commands":
            return {"Commands": self.commands}
        self._sends += 1
        if self._sends > 1 or self._done:
            self._add(f"new-{self._sends}", datetime.now(UTC))
        if self._sends == 1:
            raise AwsError("AWS gave no answer", again=True)
        return {"Command": {"CommandId": self.commands[-1]["CommandId"]}}

    def _add(self, name: str, at: datetime) -> None:
        said = {"CommandId": name, "InstanceIds": ["i-1"], "Comment": "crossfade restore", "RequestedDateTime": at}
        self.commands.append(said)


async def sent(clients: Unheard) -> Sent:
    commands = Commands(clients, Hasty())
    known = await commands.find("restore")
    assert known == Sent("old", "i-1")
    made = await commands.send("i-1", "restore", "true", 60.0, known=known)
    await clients.close()
    return made


async def test_one_that_was_sent_although_nobody_said_so_is_not_sent_again() -> None:
    """Twice it would restore a database into itself."""
    clients = Unheard(done=True)
    assert await sent(clients) == Sent("new-1", "i-1")
    assert len(clients.commands) == 2


async def test_one_that_did_not_arrive_is_sent_and_not_taken_for_an_earlier_one() -> None:
    """That of the same name from before is another one."""
    clients = Unheard(done=False)
    assert await sent(clients) == Sent("new-2", "i-1")


class Heard(Clients):
    """Every command is taken, and listed by its comment, of which AWS takes a hundred characters."""

    def __init__(self) -> None:
        super().__init__("us-east-1")
        self.commands: list[Answer] = []

    async def call(self, service: str, operation: str, before: Check = unfenced, /, **parameters: Any) -> Answer:
        if operation == "list_commands":
            return {"Commands": self.commands}
        said = {"CommandId": f"c-{len(self.commands)}", "InstanceIds": parameters["InstanceIds"]}
        self.commands.append({**said, "Comment": parameters["Comment"], "RequestedDateTime": datetime.now(UTC)})
        assert len(parameters["Comment"]) <= 100
        return {"Command": said}


async def test_one_with_a_long_name_is_sent_and_found_again() -> None:
    """Such as the restore of a dump of a service with a long name, into a database with one."""
    clients = Heard()
    commands, long = Commands(clients, Hasty()), f"restore i-0123456789abcdef0 {'before-web-7' * 9} shop_restored"
    assert await commands.send("i-1", long, "true", 60.0) == Sent("c-0", "i-1")
    assert await commands.send("i-1", f"{long}2", "true", 60.0) == Sent("c-1", "i-1")
    assert await commands.find(long) == Sent("c-0", "i-1")
