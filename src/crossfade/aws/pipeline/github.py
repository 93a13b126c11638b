"""GitHub Actions: one workflow that tests and releases, and one that goes back."""

import json
from collections.abc import Iterator

from crossfade.aws.pipeline import carry
from crossfade.aws.pipeline.caches import cache
from crossfade.aws.pipeline.plan import DOCUMENTS, TYPED, Destination, PipelinePlan

WORKFLOW = ".github/workflows/crossfade.yml"
ROLLBACK = ".github/workflows/crossfade-rollback.yml"
HEAD = "# Written by `crossfade pipeline init`. Yours to edit: an edited file is not overwritten.\n"
RUNNER = "ubuntu-24.04"
PYTHON = "3.13"
SETUPS = {
    "node": ("actions/setup-node@49933ea5288caeca8642d1e84afbd3f7d6820020 # v4.4.0", "node-version", ""),
    "python": ("actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065 # v5.6.0", "python-version", ""),
    "java": (
        "actions/setup-java@c5195efecf7bdfc987ee8bae7a71cb8b11521c00 # v4.7.1",
        "java-version",
        "          distribution: temurin\n",
    ),
}
# The job's own identity, which AWS believes: no key is kept anywhere.
IDENTITY = """\
      - name: Take on the role of {environment}
        run: |
          umask 077
          curl --silent --show-error --fail --header "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \\
            "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=sts.amazonaws.com" \\
            | python3 -c 'import json, sys; print(json.load(sys.stdin)["value"], end="")' > "$RUNNER_TEMP/identity"
"""
ROLE = """\
        env:
          AWS_REGION: {region}
          AWS_ROLE_ARN: ${{{{ vars.CROSSFADE_ROLE_{name} }}}}  # of `crossfade infra output`: deployer_role
          AWS_WEB_IDENTITY_TOKEN_FILE: ${{{{ runner.temp }}}}/identity
"""
CHECKOUT = """\
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with:
          persist-credentials: false
"""
INSTALL = f"""\
      - uses: {SETUPS["python"][0]}
        with:
          python-version: "{PYTHON}"
      - run: python3 -m pip install --quiet {{install}}
"""


def github(plan: PipelinePlan) -> dict[str, str]:
    """Text by path from the repository's root."""
    return {WORKFLOW: "".join(_workflow(plan)), ROLLBACK: _rollback(plan)}


def _workflow(plan: PipelinePlan) -> Iterator[str]:
    ignored = "".join(f"      - {json.dumps(path)}\n" for path in DOCUMENTS)
    yield f"{HEAD}name: crossfade\n\non:\n  push:\n    branches: [{', '.join(map(json.dumps, plan.branches))}]\n"
    yield f"    paths-ignore:\n{ignored}  pull_request:\n    paths-ignore:\n{ignored}"
    if plan.releases:
        yield _dispatch(plan)
    yield "\npermissions: {}\n\njobs:\n"
    jobs = [_test(plan)] if plan.test else []
    jobs.append(_proposal(plan))
    if plan.releases:
        if plan.images:
            jobs.append(_build(plan))
        for target in plan.targets:
            jobs += [_approval(plan, target)] if target.approve else []
            jobs.append(_deploy(plan, target))
    yield "\n".join(jobs)


def _dispatch(plan: PipelinePlan) -> str:
    return f"""\
  # A release of a tag: run it on the branch of the environment, which its role believes.
  workflow_dispatch:
    inputs:
      environment:
        description: Where to
        type: choice
        options: [{", ".join(target.environment for target in plan.targets)}]
      tag:
        description: A tag such as v1.2.3
        required: true
"""


def _test(plan: PipelinePlan) -> str:
    lines = [
        "  test:\n",
        f"    runs-on: {RUNNER}\n",
        "    timeout-minutes: 30\n",
        "    permissions:\n      contents: read\n",
    ]
    if plan.beside:
        lines.append("    services:\n")
    for one in plan.beside:
        lines.append(f'      {one.name}:\n        image: {one.image}\n        ports: ["{one.port}:{one.port}"]\n')
        if one.environment:
            lines.append("        env:\n" + "".join(f"          {name}: {value}\n" for name, value in one.environment))
        lines.append(
            f'        options: >-\n          --health-cmd "{one.ready}" --health-interval 2s --health-timeout 5s '
            "--health-retries 30\n"
        )
    lines.append("    steps:\n" + _checkout(plan))
    for language, version in plan.setup:
        action, key, more = SETUPS[language]
        lines.append(f"      - uses: {action}\n        with:\n          {key}: {json.dumps(version)}\n{more}")
        if kept := cache(language, plan.test):
            lines.append(f"          cache: {kept.tool}\n")
    lines.append("      - name: Test\n")
    if plan.beside:
        told = (
            f"          {name}: {value.format(host='127.0.0.1')}\n" for name, value in (o.variable for o in plan.beside)
        )
        lines.append("        env:\n" + "".join(told))
    lines.append("        run: |\n" + _lines(plan.test.strip().splitlines(), 10))
    return "".join(lines)


def _proposal(plan: PipelinePlan) -> str:
    """What a pull request would change, as one comment."""
    last = plan.targets[-1].environment
    return f"""\
  proposal:
    if: github.event_name == 'pull_request'
    runs-on: {RUNNER}
    timeout-minutes: 10
    permissions:
      contents: read
      pull-requests: write  # for the comment, and for nothing else
    steps:
{CHECKOUT}\
          fetch-depth: 0
{INSTALL.format(install=plan.install)}\
      - name: What it would change
        env:
          BASE: origin/${{{{ github.base_ref }}}}
        run: |
          crossfade check
          {{
            crossfade cost -e {last} --diff "$BASE" --markdown
            printf '\\n```\\n'
            crossfade audit -e {last} --fail-on none
            printf '```\\n'
          }} > proposal.md
          cat proposal.md >> "$GITHUB_STEP_SUMMARY"
      - name: Say so
        if: github.event.pull_request.head.repo.full_name == github.repository
        env:
          GH_TOKEN: ${{{{ github.token }}}}
          NUMBER: ${{{{ github.event.pull_request.number }}}}
        run: gh pr comment "$NUMBER" --edit-last --create-if-none --body-file proposal.md
"""


def _build(plan: PipelinePlan) -> str:
    builds = "".join(
        f"          context=.; if [ -f {name}/Dockerfile ]; then context={name}; fi\n"
        f'          docker build --tag {image} "$context"\n'
        for name, image in plan.images
    )
    names = " ".join(image for _, image in plan.images)
    needs = "    needs: test\n" if plan.test else ""
    return f"""\
  build:
{needs}    if: github.event_name != 'pull_request'
    runs-on: {RUNNER}
    timeout-minutes: 60
    permissions:
      contents: read
    steps:
{_checkout(plan)}\
      - name: Build once, for every environment
        run: |
{builds}\
          docker save {names} | gzip > images.tar.gz
      - uses: actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2
        with:
          name: images
          path: images.tar.gz
          retention-days: 7
"""


def _approval(plan: PipelinePlan, target: Destination) -> str:
    """Who agrees is said in the repository's settings; the job itself may do nothing."""
    return f"""\
  approve-{target.environment}:
{_needs(plan, target.after)}{_when(target)}\
    runs-on: {RUNNER}
    timeout-minutes: 5
    permissions: {{}}
    environment: {target.environment}  # has required reviewers: Settings, Environments
    steps:
      - run: echo agreed
"""


def _deploy(plan: PipelinePlan, target: Destination) -> str:
    loads = """\
      - uses: actions/download-artifact@d3f86a106a0bac45b974a628896c90dbdf5c8093 # v4.3.0
        with:
          name: images
      - run: docker load --input images.tar.gz
"""
    before = f"approve-{target.environment}" if target.approve else target.after and f"deploy-{target.after}"
    return f"""\
  deploy-{target.environment}:
{_needs(plan, before, job=True)}{_when(target)}\
    runs-on: {RUNNER}
    timeout-minutes: 120
    permissions:
      contents: read
      id-token: write
    concurrency:  # one at a time, and none is cut off
      group: crossfade-{target.environment}
      cancel-in-progress: false
    steps:
{_checkout(plan)}{INSTALL.format(install=carry.install(target, plan.install))}{loads if plan.images else ""}\
{IDENTITY.format(environment=target.environment)}\
      # What was built here is pushed to the environment's own repository, and shipped by its digest.
      - name: Deploy
{_role(target)}\
          VERSION: ${{{{ inputs.tag || github.sha }}}}
        run: |
{_lines(carry.deploy(target), 10)}"""


def _rollback(plan: PipelinePlan) -> str:
    jobs = "\n".join(
        f"""\
  {target.environment}:
    if: inputs.environment == '{target.environment}'
    needs: confirmed
    runs-on: {RUNNER}
    timeout-minutes: 120
    permissions:
      contents: read
      id-token: write
    concurrency:
      group: crossfade-{target.environment}
      cancel-in-progress: false
    steps:
{CHECKOUT}{INSTALL.format(install=carry.install(target, plan.install))}\
{IDENTITY.format(environment=target.environment)}\
      - name: Go back
{_role(target)}\
          TO: ${{{{ inputs.to }}}}
          SERVICE: ${{{{ inputs.service }}}}
        run: |
{_lines(carry.rollback(target), 10)}"""
        for target in plan.targets
    )
    return f"""\
{HEAD}name: crossfade rollback

# Builds nothing: the release that was good is there already. Run it on the environment's branch.
on:
  workflow_dispatch:
    inputs:
      environment:
        description: Where
        type: choice
        options: [{", ".join(target.environment for target in plan.targets)}]
      to:
        description: A number, version, tag or sha-..., or previous, the last good one
        default: previous
      service:
        description: One service; empty is the only one
        default: ""
      confirm:
        description: Type {TYPED}
        required: true

permissions: {{}}

jobs:
  confirmed:
    runs-on: {RUNNER}
    timeout-minutes: 5
    permissions: {{}}
    steps:
      - env:
          CONFIRM: ${{{{ inputs.confirm }}}}
        run: |
          if [ "$CONFIRM" != {TYPED} ]; then
            echo "::error::nothing was done: type {TYPED} to confirm"
            exit 1
          fi

{jobs}"""


def _role(target: Destination) -> str:
    name = target.environment.upper().replace("-", "_")
    bucket = f"          CROSSFADE_REVISIONS: ${{{{ vars.CROSSFADE_REVISIONS_{name} }}}}  # its output `revisions`\n"
    return ROLE.format(region=target.region, name=name) + (bucket if target.codedeploy else "")


def _checkout(plan: PipelinePlan) -> str:
    return CHECKOUT + ("          ref: ${{ inputs.tag || github.sha }}\n" if plan.releases else "")


def _when(target: Destination) -> str:
    """A push to its branch, or a tag that somebody releases to it from there; what it needs may have been left out."""
    return f"""\
    if: >-
      !failure() && !cancelled() && github.ref == 'refs/heads/{target.branch}' && (github.event_name == 'push'
      || (github.event_name == 'workflow_dispatch' && inputs.environment == '{target.environment}'))
"""


def _needs(plan: PipelinePlan, before: str, *, job: bool = False) -> str:
    named = before if job else before and f"deploy-{before}"
    jobs = [name for name, there in (("test", plan.test), ("build", plan.images), (named, named)) if there]
    return f"    needs: [{', '.join(jobs)}]\n" if jobs else ""


def _lines(lines: list[str], by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" if line.strip() else "\n" for line in lines)
