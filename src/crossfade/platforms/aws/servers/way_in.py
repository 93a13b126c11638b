"""The security group's rule that lets SSH in: there for as long as one command, and gone after it, however it ends."""

import asyncio
from contextlib import suppress

from crossfade.core.errors import PlatformError
from crossfade.platforms.aws.clients import Answer, Check, Clients
from crossfade.platforms.aws.refusals import AwsError

SSH = 22
LONGEST = 255  # characters of a rule's description
_GONE = {"InvalidSecurityGroupRuleId.NotFound", "InvalidPermission.NotFound"}


class WayIn:
    """Rules of one security group. `home` is whose they are; each says in its description what it is open for.

    So what a killed command left is known by what it says, and closed by whoever comes next. One command has one way
    in: `close` closes what `open` opened, also when nobody heard how that ended, as after Ctrl-C or a lost answer.
    """

    def __init__(self, clients: Clients, group: str, home: str) -> None:
        self._clients, self._group = clients, group
        self._mark = f"crossfade {home} "
        self._changing = asyncio.Lock()
        self._rule = ""  # the one that we opened
        self._asked = ""  # what it says, from before AWS is asked for it

    def said(self, what: str) -> str:
        """The description of a rule that is open for `what`: rollout 7 by ci@runner."""
        return "".join(
            char if (char.isascii() and char.isalnum()) or char in "._-:/()#,@[]+=&;{}!$* " else "-"
            for char in self._mark + what
        )[:LONGEST]

    async def open(self, address: str, what: str, before: Check, *, writes: bool) -> None:
        """Let `address` (a CIDR) in. A rule that says the same is ours, whose answer was lost.

        AWS has each source once, whatever is said of it. Who `writes` takes over what another command of `home` left
        for the same address; a look does not, for it may be the way in of a rollout that runs. Where it is somebody
        else's rule that lets the address in, that one stays as it is.
        """
        async with self._changing:
            self._asked = self.said(what)
            self._rule = await self._open(address, what, before, writes=writes)

    async def _open(self, address: str, what: str, before: Check, *, writes: bool) -> str:
        description = self.said(what)
        if there := await self._saying(description):
            return there[0]
        span = "Ipv6Ranges" if ":" in address else "IpRanges"
        cidr = "CidrIpv6" if ":" in address else "CidrIp"
        try:
            made = await self._clients.call(
                "ec2",
                "authorize_security_group_ingress",
                before,
                GroupId=self._group,
                IpPermissions=[
                    {
                        "IpProtocol": "tcp",
                        "FromPort": SSH,
                        "ToPort": SSH,
                        span: [{cidr: address, "Description": description}],
                    }
                ],
            )
        except AwsError as error:
            if error.code != "InvalidPermission.Duplicate":
                raise
            if there := await self._saying(description):  # ours: it was opened, and the answer got lost
                return there[0]
            if writes and await self.close_left(everything=True, same=address):
                return await self._open(address, what, before, writes=writes)
            return ""
        return str(made["SecurityGroupRules"][0]["SecurityGroupRuleId"])

    async def close(self) -> None:
        """Close what we opened, heard of or not. PlatformError says what is still open. Twice is nothing."""
        async with self._changing:
            (rule, self._rule), (asked, self._asked) = (self._rule, ""), (self._asked, "")
            if not asked:
                return
            await self._clients.still()  # AWS may be asked for it yet
            if rule:
                with suppress(AwsError):
                    await self._revoke([rule])
                    return
            try:
                await self._revoke(await self._saying(asked))
            except AwsError as error:
                raise PlatformError(
                    f"port {SSH} of security group {self._group} may still be open for this machine: {error.cause}",
                    "the next deploy or rollback there closes it first of all",
                ) from error

    async def close_left(self, *, everything: bool, same: str = "") -> list[str]:
        """Close what others left, of rollouts or also of looks; what each of them said. `same`: from there alone."""
        left = [
            one
            for one in await self._rules()
            if (everything or one["Description"].startswith(f"{self._mark}rollout "))
            and (not same or same in (one.get("CidrIpv4"), one.get("CidrIpv6")))
        ]
        if left:
            await self._revoke([one["SecurityGroupRuleId"] for one in left])
        return [one["Description"].removeprefix(self._mark) for one in left]

    async def _revoke(self, rules: list[str]) -> None:
        for rule in rules:  # one at a time: AWS refuses all of them for one that is gone
            try:
                await self._clients.call(
                    "ec2", "revoke_security_group_ingress", GroupId=self._group, SecurityGroupRuleIds=[rule]
                )
            except AwsError as error:
                if error.code not in _GONE:
                    raise

    async def _saying(self, description: str) -> list[str]:
        """The ids of our rules that say this."""
        return [one["SecurityGroupRuleId"] for one in await self._rules() if one["Description"] == description]

    async def _rules(self) -> list[Answer]:
        """Ours, of this environment."""
        asked = {"Filters": [{"Name": "group-id", "Values": [self._group]}]}
        found = await self._clients.all("ec2", "describe_security_group_rules", "SecurityGroupRules", **asked)
        return [one for one in found if not one["IsEgress"] and (one.get("Description") or "").startswith(self._mark)]
