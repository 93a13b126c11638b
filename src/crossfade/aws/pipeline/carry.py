"""The carrying of a release by a job: crossfade's own verbs, or CodeDeploy's where it has the hosts.

Each is lines of a shell. VERSION is the commit or the tag; CROSSFADE_REVISIONS the bucket that Terraform made.
"""

from crossfade.aws.pipeline.plan import Destination

_UNDER_WAY = "Created Queued InProgress Ready"


def deploy(target: Destination) -> list[str]:
    if not target.codedeploy:
        return [f'crossfade deploy -e {target.environment} --version "$VERSION"']
    return [package(target), *release(target)]


def package(target: Destination) -> str:
    """The revision of an environment: the commit, and how CodeDeploy brings it to a host."""
    spec = f"infrastructure/deploy/{target.environment}/appspec.yml"
    return f"git archive --format=zip --add-file={spec} --output={revision(target)} HEAD"


def revision(target: Destination) -> str:
    return f"revision-{target.environment}.zip"


def release(target: Destination) -> list[str]:
    """Bring a revision that was made. Where somebody has to switch, it is over once the new fleet waits for that."""
    there = f"s3://$CROSSFADE_REVISIONS/{target.environment}/$VERSION.zip"
    upload = f'aws s3 cp --no-progress {revision(target)} "{there}"'
    if not target.switch:
        return [upload, *_revision(target, "$VERSION")]
    return [
        upload,
        *_created(target, "$VERSION"),
        "while :; do",
        '  status=$(aws deploy get-deployment --deployment-id "$id" --query deploymentInfo.status --output text)',
        '  case "$status" in',
        '    Ready) echo "the new hosts are well and wait for the switch: $id"; break ;;',
        '    Failed | Stopped | Succeeded) echo "$id: $status"; exit 1 ;;',
        "  esac",
        '  sleep "${POLL:-15}"',
        "done",
    ]


def switch(target: Destination) -> list[str]:
    """Give the traffic to the new fleet that waits for it, and see it through."""
    return [
        f"id=$(aws deploy list-deployments {_named(target)} --include-only-statuses Ready \\",
        "  --query 'deployments[0]' --output text)",
        'if [ "$id" = None ]; then',
        '  echo "nothing waits for a switch"',
        "  exit 1",
        "fi",
        'aws deploy continue-deployment --deployment-id "$id" --deployment-wait-type READY_WAIT',
        'aws deploy wait deployment-successful --deployment-id "$id"',
    ]


def rollback(target: Destination) -> list[str]:
    """By CodeDeploy: what is under way is taken back, else the revision named by TO comes again; none is guessed."""
    if not target.codedeploy:
        return [f'crossfade rollback ${{SERVICE:+"$SERVICE"}} -e {target.environment} --to "$TO"']
    return [
        f"running=$(aws deploy list-deployments {_named(target)} --include-only-statuses {_UNDER_WAY} \\",
        "  --query 'deployments[0]' --output text)",
        'if [ "$running" != None ]; then',
        '  aws deploy stop-deployment --deployment-id "$running" --auto-rollback-enabled',
        'elif [ "$TO" = previous ]; then',
        '  echo "nothing is under way: set TO to the commit of the revision that is to come back"',
        "  exit 1",
        "else",
        *(f"  {line}" for line in _revision(target, "$TO")),
        "fi",
    ]


def install(target: Destination, crossfade: str) -> str:
    """What pip brings for it."""
    return "'awscli>=1.40'" if target.codedeploy else crossfade


def _named(target: Destination) -> str:
    return f"--application-name {target.codedeploy} --deployment-group-name {target.codedeploy}"


def _revision(target: Destination, version: str) -> list[str]:
    return [*_created(target, version), 'aws deploy wait deployment-successful --deployment-id "$id"']


def _created(target: Destination, version: str) -> list[str]:
    return [
        f"id=$(aws deploy create-deployment {_named(target)} \\",
        f'  --s3-location "bucket=$CROSSFADE_REVISIONS,key={target.environment}/{version}.zip,bundleType=zip" \\',
        "  --query deploymentId --output text)",
    ]
