"""The script of an errand on a host: the release's own container once more, with another command.

How an image comes to a host and what its container is given the release's user data says; here is only taken from it.
"""

import re
from collections.abc import Mapping

from crossfade.core.errors import PlatformError
from crossfade.platforms.aws.autoscaling.user_data import quoted

LINES, BYTES = 50, 20_000  # of the last that it wrote: AWS keeps the first 24,000 characters of what we say
FOLDER = "/var/lib/crossfade/hooks"
CUT_OFF, TIMED_OUT = 125, 124  # codes of our own: as Docker's and timeout(1)'s
_FIRST = "export CROSSFADE_INSTANCE "  # from here on the user data is about the container
_NAMES = re.compile(r"--env (\w+)")
_INSTALLS = re.compile(r"^dnf install -y docker$", re.MULTILINE)


def script(  # noqa: PLR0917  all that differs from one to the next
    user_data: str, instance: str, once: str, command: str, env: Mapping[str, str], limit: float
) -> str:
    """For bash, as root. Its first line is a digest of all that the command wrote, its code is the command's.

    `once` is a name for it: run again, by whomever, it waits for the first one and says the same. What was cut off
    before its end, such as by a reboot, is not begun again: who knows how far it came.
    """
    at, run = user_data.find(f"\n{_FIRST}"), user_data.find("\ndocker run ")
    if at < 0 or run < at:
        raise PlatformError(
            "the user data of its hosts does not run a container as crossfade's own does",
            "`crossfade infra init` and `crossfade infra apply` write it anew",
        )
    prepared = _INSTALLS.sub("command -v docker > /dev/null || dnf install -y docker", user_data[at + 1 : run])
    names = list(dict.fromkeys([*_NAMES.findall(user_data[run:]), *sorted(env)]))
    exports = "".join(f"export {name}={quoted(text)}\n" for name, text in sorted(env.items()))
    container, late = f"crossfade-{once[:12]}", f"timed out after {limit:g} s"
    return f"""\
#!/bin/bash
set -u
umask 077
export HOME=/root
there={FOLDER}/{once}
mkdir -p "$there"
exec 9> "$there/lock"
flock 9
if [ ! -e "$there/began" ]; then
touch "$there/began" "$there/out"
(
set -euo pipefail
CROSSFADE_INSTANCE={quoted(instance)}
{prepared}
{exports}\
timeout --kill-after=10 {limit:g} docker run --rm --name {container} {" ".join(f"--env {name}" for name in names)} \
"${{NAMES[@]/#/--env=}}" "$IMAGE" /bin/sh -c {quoted(command)}
) > "$there/out" 2>&1 9>&-
code=$?
if [ "$code" = {TIMED_OUT} ]; then
docker rm --force {container} > /dev/null 2>&1 9>&-
echo {quoted(late)} >> "$there/out"
fi
echo "$code" > "$there/code.new"
mv "$there/code.new" "$there/code"
fi
if [ ! -e "$there/code" ]; then
echo "it was cut off before its end, and is not begun again" >> "$there/out"
echo {CUT_OFF} > "$there/code"
fi
sha256sum < "$there/out" | cut -c -64
tail -n {LINES} "$there/out" | tail -c {BYTES}
exit "$(cat "$there/code")"
"""
