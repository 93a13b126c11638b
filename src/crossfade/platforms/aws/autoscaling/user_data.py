"""A release as a host boots it: the user data that Terraform wrote, with the release in it."""

import base64
import json
import posixpath
import re
import zlib
from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.core.wire import decode, encode

# Between both lines a release writes what is its own: its image, its settings, where its secrets are, and itself.
BEGIN, END = "# A release's own, from here.", "# A release's own, to here."
IN_BUCKET = "s3://"  # what the digest of a revision begins with: it is an object of S3, called after its content
OF_RELEASE = "/etc/app/release.sh"  # what a host's processes source before they begin
LONGEST = 16_384  # bytes: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html
_MARK = "# crossfade: "
_ARTIFACT = re.compile(r"^(?:IMAGE|REVISION)='(?P<digest>[^']*)'$", re.MULTILINE)
_BUCKET = re.compile(r"^REVISION='s3://(?P<bucket>[^/']+)/", re.MULTILINE)
_SECRET = re.compile(
    r"^(?P<name>\w+)=\$\(aws secretsmanager get-secret-value .*--secret-id '(?P<arn>[^']+)'"
    r"(.*json\.load\(sys\.stdin\)\[\"(?P<key>[^\"]+)\"\])?",
    re.MULTILINE,
)
_EXPORTED = re.compile(r"^export (\w+)=", re.MULTILINE)
# What begins a process exports what Terraform tells; in base64, as all that holds texts of the file.
_STARTS = re.compile(r"^base64 -d > /usr/local/bin/start-app <<< '(?P<script>[^']+)'$", re.MULTILINE)
_ARN_PARTS = 7  # of a secret's ARN; a key of its JSON, a label and a version may follow


def written(base: str, release: Release, secrets: Mapping[str, str], region: str) -> str:
    """`base` with the release in place of what stands between the two lines.

    `secrets` says where the value of each is. PlatformError where there are no such lines, WrongInputError where the
    result is longer than AWS takes.
    """
    before, begin, rest = base.partition(f"{BEGIN}\n")
    _, end, after = rest.partition(f"{END}\n")
    if not begin or not end:
        raise PlatformError(
            f"the launch template of {release.service.key} has no place for a release in its user data",
            f"`crossfade infra apply -e {release.service.environment}` writes one",
        )
    own = {name for name, _ in release.service.env}
    beside = {name: where for name, where in secrets_in(base).items() if name not in own}  # such as a database's own
    made = f"{before}{begin}{_own(release, {**beside, **secrets}, region)}{end}{after}"
    if len(made.encode()) > LONGEST:
        raise WrongInputError(
            f"{release.service.key} takes {len(made.encode()):,} bytes of user data, and AWS takes {LONGEST:,}",
            "fewer or shorter variables: a long value can be a secret, or a file of the image",
        )
    return made


def release_in(user_data: str, called: str) -> Release | None:
    """The release that it was written for; None for one that is not ours.

    PlatformError for one that says it is, and has another image: somebody copied it and put that in.
    """
    told = next((line.removeprefix(_MARK) for line in user_data.splitlines() if line.startswith(_MARK)), "")
    if not told:
        return None
    try:
        release = decode(Release, json.loads(zlib.decompress(base64.b64decode(told))))
    except (ValueError, ValidationError, zlib.error):
        return None
    found = _ARTIFACT.search(user_data)
    if found is None or found["digest"] != release.digest:
        raise PlatformError(
            f"{called} is not crossfade's: it says release {release.label} and has another image or revision",
            "something else deploys here too: have it run `crossfade deploy`, and the group the version before",
        )
    return release


def bucket_in(user_data: str) -> str:
    """The bucket of revisions, as Terraform names it; empty where hosts run containers."""
    found = _BUCKET.search(user_data)
    return found["bucket"] if found else ""


def secrets_in(user_data: str) -> dict[str, str]:
    """Where each secret is by its variable, as Terraform names them: an ARN, and behind it a key of its JSON."""
    return {
        found["name"]: f"{found['arn']}:{found['key']}::" if found["key"] else found["arn"]
        for found in _SECRET.finditer(user_data)
    }


def require_told(user_data: str, service: Service) -> None:
    """WrongInputError for a variable whose value Terraform was to write there, and has not yet."""
    starts = [base64.b64decode(found["script"]).decode(errors="replace") for found in _STARTS.finditer(user_data)]
    known = {*secrets_in(user_data)}.union(*(_EXPORTED.findall(script) for script in (user_data, *starts)))
    unknown = [variable for variable in service.told if variable not in known]
    if unknown:
        raise WrongInputError(
            f"the place of {service.key} does not tell {', '.join(unknown)} yet",
            f"`crossfade infra apply -e {service.environment}` has it do so",
        )


def _own(release: Release, secrets: Mapping[str, str], region: str) -> str:
    return "".join(f"{line}\n" for line in _lines(release, secrets, region))


def _lines(release: Release, secrets: Mapping[str, str], region: str) -> Iterator[str]:
    service = release.service
    told = json.dumps({**encode(release), "path": ""}, separators=(",", ":"), sort_keys=True)
    yield f"{_MARK}{base64.b64encode(zlib.compress(told.encode(), 9)).decode()}"
    own = {
        **dict(service.env),
        "CROSSFADE_APP": service.app,
        "CROSSFADE_SERVICE": service.name,
        "CROSSFADE_RELEASE": str(release.number),
        "CROSSFADE_VERSION": release.version,
    }
    variables = [f"export {name}={quoted(text)}" for name, text in sorted(own.items())]
    for name, where in sorted(secrets.items()):
        variables += [f"{name}=$({fetch(where, region)})", f"export {name}"]
    if release.digest.startswith(IN_BUCKET):
        yield f"REVISION={quoted(release.digest)}"
        yield from _of_processes([*variables, f"COMMAND={quoted(service.command)}"])
        return
    yield f"IMAGE={quoted(release.digest)}"
    yield from variables
    yield f"NAMES=({' '.join(sorted({*own, *secrets}))})"
    words = list(service.container.command) or (["/bin/sh", "-c", service.command] if service.command else [])
    yield f"COMMAND=({' '.join(map(quoted, words))})"


def _of_processes(lines: list[str]) -> Iterator[str]:
    """Processes begin long after the host has booted, and read then what is theirs. In base64, whatever it holds."""
    text = base64.b64encode("".join(f"{line}\n" for line in lines).encode()).decode()
    yield f"install -d {posixpath.dirname(OF_RELEASE)}"
    yield f"base64 -d > {OF_RELEASE} <<< '{text}'"


def quoted(text: str) -> str:
    """A text as a word of bash: in single quotes nothing is special but the quote itself.

    On one line: one of its own could read like the end of a release's part, and what follows as the script's.
    """
    return "'" + text.replace("'", "'\\''").replace("\n", "'$'\\n''") + "'"


def fetch(where: str, region: str) -> str:
    """The command by which a host reads a secret: an ARN, and behind it a key of its JSON, a label and a version."""
    arn, rest = ":".join(where.split(":")[:_ARN_PARTS]), where.split(":")[_ARN_PARTS:]
    version = f" --version-id {quoted(rest[2])}" if len(rest) > 2 and rest[2] else ""  # noqa: PLR2004  key, label, version
    asked = f"aws secretsmanager get-secret-value --region {quoted(region)} --secret-id {quoted(arn)}{version}"
    key = f" | python3 -c 'import json, sys; print(json.load(sys.stdin)[\"{rest[0]}\"])'" if rest and rest[0] else ""
    return f"{asked} --query SecretString --output text{key}"
