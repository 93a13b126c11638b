"""Terraform's errors as one message: what is wrong, where, and the way out."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossfade.aws.terraform.stream import Diagnostic
from crossfade.core.errors import CrossfadeError, PlatformError, RefusedError

SHOWN = 5  # errors in one message; what is behind them is mostly one cause
_LOCK = re.compile(r"^\s*(ID|Operation|Who|Created):\s*(\S.*?)\s*$", re.MULTILINE)

SIGN_IN = (
    "sign in with `aws sso login`, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; "
    "`aws sts get-caller-identity` says who you are"
)
PROTECTION = (
    "database: {protect: false} or load_balancer: {protect: false} in the cloud part of crossfade.yaml, "
    "`crossfade infra init`, `crossfade infra apply`, and then try again"
)
# A target group keeps its port and its kind for life, and the listener leads to it as long as the service is there.
BESIDE = (
    "take the change back, or make it beside what runs: another port in a service of another name, another kind of "
    "compute in another environment; deploy there, and then take the old one out of the file"
)
_MIRROR = "https://developer.hashicorp.com/terraform/cli/config/config-file#provider-installation"
# What an error says -> the way out. The first that fits counts.
_WAYS_OUT: Mapping[str, str] = {
    r"no valid credential sources|no ec2 imds role|unable to locate credentials|failed to refresh cached credentials|"
    r"NoCredentialProviders|could not find credentials": SIGN_IN,
    r"ExpiredToken|token.{0,40}expired|InvalidClientTokenId|SSO session.{0,40}(expired|invalid)": SIGN_IN,
    r"S3 bucket.{0,80}does not exist|NoSuchBucket|ResourceNotFoundException.{0,200}(lock|table)": (
        "`crossfade infra bootstrap` makes the bucket and the table for the state"
    ),
    r"lifecycle\.prevent_destroy|Instance cannot be destroyed": (
        "prevent_destroy in its module protects it; whoever means it takes that line out, once and on purpose"
    ),
    r"target group.{0,300}in use by a listener": f"visitors are led to it; {BESIDE}",
    r"deletion.?protection": f"AWS protects it; {PROTECTION}",
    r"BucketNotEmpty|RepositoryNotEmptyException|bucket you tried to delete is not empty": (
        "it still holds data and crossfade empties nothing: copy what is needed, empty it, and try again"
    ),
    r"saved plan is stale": "something changed since the plan was made; make it again",
    r"AccessDenied|UnauthorizedOperation|not authorized to perform": (
        "whoever you are signed in as lacks that permission; `aws sts get-caller-identity` says who that is"
    ),
    r"backend configuration changed|backend configuration block has changed": (
        "the state would be elsewhere from now on; `terraform init -migrate-state` in its folder takes it "
        "along, `-reconfigure` leaves it behind"
    ),
    r"failed to query available provider packages|could not connect to registry|registry service is unreachable": (
        f"the provider could not be fetched; without a network, a mirror helps: {_MIRROR}"
    ),
    r"no such host|connection refused|dial tcp|i/o timeout": "AWS was not reached; is there a network?",
}


class StoppedError(CrossfadeError):
    """A run ended by Ctrl-C, in order: Terraform has saved its state."""

    exit_code = 130


@dataclass(frozen=True, slots=True)
class TerraformRun:
    """What was tried: `apply` of `prod`, in a folder that Terraform's file names are relative to."""

    verb: str
    environment: str
    folder: Path
    program: str = "terraform"


def wants_init(errors: Sequence[Diagnostic], plain: Sequence[str]) -> bool:
    """Terraform says by itself when modules, providers or the backend are not there yet."""
    said = [f"{one.summary}\n{one.detail}" for one in errors] or ["\n".join(plain)]
    return any(re.search(r"(terraform|tofu) init", text) for text in said)


def from_plain(lines: Sequence[str]) -> list[Diagnostic]:
    """What `init` prints for people, in boxes."""
    found: list[list[str]] = []
    for line in (line.strip("│╷╵ \t") for line in lines):
        if line.startswith("Error: "):
            found.append([line.removeprefix("Error: ")])
        elif found:
            found[-1].append(line)
    return [Diagnostic(summary=summary, detail="\n".join(detail).strip()) for summary, *detail in found]


def error(run: TerraformRun, errors: Sequence[Diagnostic], plain: Sequence[str] = ()) -> CrossfadeError:
    """One error to raise, whatever happened."""
    errors = list(errors) or from_plain(plain)
    for one in errors:
        if "state lock" in one.summary.lower() and (held := dict(_LOCK.findall(one.detail))):
            return _locked(run, held)
    text = "\n".join(f"{one.summary} {one.detail}" for one in errors) or "\n".join(plain)
    way_out = way_out_of(text)
    if not errors:
        last = "; ".join(line.strip() for line in plain[-3:]) or "it said nothing"
        return PlatformError(f"{run.program} {run.verb} of {run.environment} failed: {last}", way_out)
    told = [_told(one, run.folder) for one in errors[:SHOWN]]
    more = [f"and {len(errors) - SHOWN} more"] if len(errors) > SHOWN else []
    lines = told if len(told) == 1 else ["", *(f"  {line}" for line in (*told, *more))]
    head = f"{run.program} {run.verb} of {run.environment} failed:"
    return PlatformError(f"{head} {lines[0]}" if len(lines) == 1 else head + "\n".join(lines), way_out)


def way_out_of(text: str) -> str:
    """What helps against it, or nothing."""
    return next((way for pattern, way in _WAYS_OUT.items() if re.search(pattern, text, re.IGNORECASE | re.DOTALL)), "")


def _locked(run: TerraformRun, held: dict[str, str]) -> RefusedError:
    created = re.sub(r"\.\d+ \+0000 UTC$", " UTC", held.get("Created", "an unknown time"))
    doing = held.get("Operation", "").removeprefix("OperationType").lower() or "something"
    lock = held.get("ID", "")
    return RefusedError(
        f"the state of {run.environment} has been locked by {held.get('Who', 'somebody')} since {created}, for {doing} "
        f"(lock {lock})",
        "wait for it, for instance with --wait 10m; once you are sure that run is dead: "
        f"{run.program} -chdir={_shown(run.folder)} force-unlock {lock}",
    )


def _told(one: Diagnostic, folder: Path) -> str:
    """`modules/database/rds/main.tf:12, module.database.aws_db_instance.this: creating RDS ...: InvalidParameter...`"""
    path, _, line = one.where.rpartition(":")
    at = [f"{_shown(folder / path)}:{line}"] if path else []
    at += [one.address] if one.address else []
    summary, detail = (" ".join(text.split()) for text in (one.summary.rstrip(".:"), one.detail))
    sentence = f"{summary}: {detail}" if detail and detail not in summary else summary
    return f"{', '.join(at)}: {sentence}" if at else sentence


def _shown(path: Path) -> str:
    return os.path.relpath(path)
