"""What a job runs to bring a release out and to go back: crossfade's own verbs, or CodeDeploy's where it has the hosts.

Each is lines of a shell. VERSION is the commit or the tag; CROSSFADE_REVISIONS the bucket that Terraform made.
"""

from crossfade.aws.pipeline.plan import Target


def deploy(target: Target) -> list[str]:
    if not target.codedeploy:
        return [f'crossfade deploy -e {target.environment} --version "$VERSION"']
    spec = f"infrastructure/deploy/{target.environment}/appspec.yml"
    return [
        f"git archive --format=zip --add-file={spec} --output=revision.zip HEAD",
        f'aws s3 cp --no-progress revision.zip "s3://$CROSSFADE_REVISIONS/{target.environment}/$VERSION.zip"',
        *_revision(target, "$VERSION"),
    ]


def rollback(target: Target) -> list[str]:
    """By CodeDeploy: what is under way is taken back, else the revision named by TO comes again; none is guessed."""
    if not target.codedeploy:
        return [f'crossfade rollback ${{SERVICE:+"$SERVICE"}} -e {target.environment} --to "$TO"']
    named = f"--application-name {target.codedeploy} --deployment-group-name {target.codedeploy}"
    return [
        f"running=$(aws deploy list-deployments {named} --include-only-statuses Created Queued InProgress \\",
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


def install(target: Target, crossfade: str) -> str:
    """What pip brings for it."""
    return "'awscli>=1.40'" if target.codedeploy else crossfade


def _revision(target: Target, version: str) -> list[str]:
    named = f"--application-name {target.codedeploy} --deployment-group-name {target.codedeploy}"
    return [
        f"id=$(aws deploy create-deployment {named} \\",
        f'  --s3-location "bucket=$CROSSFADE_REVISIONS,key={target.environment}/{version}.zip,bundleType=zip" \\',
        "  --query deploymentId --output text)",
        'aws deploy wait deployment-successful --deployment-id "$id"',
    ]
