"""GitLab CI: test, build once, deploy to each environment, and go back by hand."""

import json
from collections.abc import Iterator

from crossfade.aws.pipeline import carry
from crossfade.aws.pipeline.caches import cache
from crossfade.aws.pipeline.plan import DOCUMENTS, TYPED, Destination, PipelinePlan

FILE = ".gitlab-ci.yml"
HEAD = "# Written by `crossfade pipeline init`. Yours to edit: an edited file is not overwritten.\n"
PYTHON = "python:3.13"
DOCKER = "docker:28"
IMAGES = {"node": "node:{}", "python": "python:{}", "java": "eclipse-temurin:{}"}


def gitlab(plan: PipelinePlan) -> dict[str, str]:
    """Text by path from the repository's root."""
    return {FILE: "\n".join(_parts(plan))}


def _parts(plan: PipelinePlan) -> Iterator[str]:
    stages = [name for name, there in _stages(plan) if there]
    yield f"{HEAD}stages: [{', '.join(stages)}]\n"
    yield _workflow(plan)
    yield _carrying()
    if plan.test:
        yield _test(plan)
    yield _proposal(plan)
    if plan.releases:
        if plan.images:
            yield _build(plan)
        elif _sources(plan):
            yield _try_build(plan)
        if plan.revisions:
            yield _package(plan)
        for target in plan.targets:
            yield _deploy(plan, target)
            if target.switch:
                yield _switch(plan, target)
    for target in plan.targets:
        yield _rollback(plan, target)


def _stages(plan: PipelinePlan) -> tuple[tuple[str, bool], ...]:
    return (
        ("build", _sources(plan)),  # of a source: what cannot be built needs no test
        ("test", True),
        ("build", plan.releases and bool(plan.images)),
        ("package", plan.releases and bool(plan.revisions)),
        *((target.environment, plan.releases) for target in plan.targets),
        ("switch", plan.releases and any(target.switch for target in plan.targets)),
        ("rollback", True),
    )


def _workflow(plan: PipelinePlan) -> str:
    branches = "".join(f"    - if: $CI_COMMIT_BRANCH == {json.dumps(branch)}\n" for branch in plan.branches)
    strategy = f"""\

variables:
  DEPLOYMENT_STRATEGY:
    value: {plan.strategy}
    options: [hybrid, codedeploy-only, gitlab-only]
    description: Who moves visitors of what is not production. CodeDeploy, or these jobs once it has the hosts ready
"""
    return f"""\
workflow:
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
{branches}{strategy if plan.strategy and plan.releases else ""}"""


def _carrying() -> str:
    """What jobs have in common that act on AWS: the job's own identity instead of a stored key."""
    return f"""\
# Variables of each GitLab environment, as `crossfade infra output -e NAME` says them: CROSSFADE_ROLE is deployer_role,
# and where CodeDeploy has the hosts CROSSFADE_REVISIONS is revisions.
.crossfade:
  image: {PYTHON}
  variables:
    GIT_DEPTH: "0"
  id_tokens:
    IDENTITY:
      aud: https://gitlab.com
  before_script:
    - umask 077
    - printf %s "$IDENTITY" > "$CI_BUILDS_DIR/identity-$CI_JOB_ID"
    - export AWS_ROLE_ARN="$CROSSFADE_ROLE" AWS_WEB_IDENTITY_TOKEN_FILE="$CI_BUILDS_DIR/identity-$CI_JOB_ID"
    # The release of a tag: run the pipeline on the environment's branch with TAG.
    - if [ -n "${{TAG:-}}" ]; then git checkout --quiet "$TAG"; fi
    - python3 -m pip install --quiet "$INSTALL"
  after_script:
    - rm -f "$CI_BUILDS_DIR/identity-$CI_JOB_ID"
  interruptible: false
"""


def _test(plan: PipelinePlan) -> str:
    language = plan.setup[0][0] if plan.setup else ""
    lines = [f"test:\n  stage: test\n  image: {_image(plan)}\n"]
    variables = [pair for one in plan.beside for pair in one.environment]
    variables += [(name, value.format(host=one.name)) for one in plan.beside for name, value in (one.variable,)]
    if plan.beside:
        lines.append("  services:\n")
        lines += [f"    - name: {one.image}\n      alias: {one.name}\n" for one in plan.beside]
    if language and (kept := cache(language, plan.test)):
        variables.append((kept.variable, kept.told))
        lines.append(f"  cache:\n    key: {language}\n    paths: [{kept.folder}]\n")
    if variables:
        lines.append("  variables:\n" + "".join(f"    {name}: {json.dumps(value)}\n" for name, value in variables))
    lines.append("  script:\n    - |\n" + "".join(f"      {line}\n" for line in plan.test.strip().splitlines()))
    return "".join(lines)


def _image(plan: PipelinePlan) -> str:
    language, version = plan.setup[0] if plan.setup else ("", "")
    return IMAGES[language].format(version) if language else "debian:13"


def _sources(plan: PipelinePlan) -> bool:
    return plan.releases and bool(plan.revisions) and bool(plan.build)


def _try_build(plan: PipelinePlan) -> str:
    """Hosts build for themselves; that it can be built is known before anything is shipped."""
    return f"""\
build:
  stage: build
  image: {_image(plan)}
  script:
    - |
{_lines(plan.build.strip().splitlines())}"""


def _package(plan: PipelinePlan) -> str:
    """What CodeDeploy brings, made once: what was tested is what every environment gets."""
    zips = "".join(f"    - {carry.package(target)}\n" for target in plan.revisions)
    return f"""\
package:
  stage: package
  image: {DOCKER}-cli
  variables:
    GIT_DEPTH: "0"
  rules:
    - if: $CI_COMMIT_BRANCH
  script:
    - if [ -n "${{TAG:-}}" ]; then git checkout --quiet "$TAG"; fi
{zips}\
  artifacts:
    paths: [{", ".join(map(carry.revision, plan.revisions))}]
    expire_in: 7 days
"""


def _proposal(plan: PipelinePlan) -> str:
    """What a merge request would change. Posting takes a token that jobs do not have: who has one adds a line."""
    last = plan.targets[-1].environment
    return f"""\
proposal:
  stage: test
  image: {PYTHON}
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
  variables:
    GIT_DEPTH: "0"
  script:
    - python3 -m pip install --quiet {plan.install}
    - crossfade check
    - crossfade cost -e {last} --diff "$CI_MERGE_REQUEST_DIFF_BASE_SHA" --markdown | tee proposal.md
    - crossfade audit -e {last} --fail-on none | tee --append proposal.md
  artifacts:
    paths: [proposal.md]
    expose_as: What it would change
"""


def _build(plan: PipelinePlan) -> str:
    builds = "".join(
        f"    - if [ -f {name}/Dockerfile ]; then context={name}; else context=.; fi\n"
        f'    - docker build --tag {image} "$context"\n'
        for name, image in plan.images
    )
    return f"""\
build:
  stage: build
  image: {DOCKER}
  services: [{DOCKER}-dind]
  variables:
    GIT_DEPTH: "0"
    DOCKER_HOST: tcp://docker:2376
    DOCKER_TLS_CERTDIR: /certs
    DOCKER_TLS_VERIFY: "1"
    DOCKER_CERT_PATH: /certs/client
  rules:
    - if: $CI_COMMIT_BRANCH
  script:
    - if [ -n "${{TAG:-}}" ]; then git checkout --quiet "$TAG"; fi
{builds}\
    - docker save {" ".join(image for _, image in plan.images)} | gzip > images.tar.gz
  artifacts:
    paths: [images.tar.gz]
    expire_in: 7 days
"""


def _deploy(plan: PipelinePlan, target: Destination) -> str:
    except_documents = " ".join(f"':(exclude){path}'" for path in DOCUMENTS)
    manual = "      when: manual\n" if target.approve else ""
    docker = f"""\
  services: [{DOCKER}-dind]
  variables:
    GIT_DEPTH: "0"
    AWS_REGION: {target.region}
    INSTALL: {_brought(target, plan)}
    DOCKER_HOST: tcp://docker:2376
    DOCKER_TLS_CERTDIR: /certs
    DOCKER_TLS_VERIFY: "1"
    DOCKER_CERT_PATH: /certs/client
"""
    plain = (
        f'  variables:\n    GIT_DEPTH: "0"\n    AWS_REGION: {target.region}\n    INSTALL: {_brought(target, plan)}\n'
    )
    load = '    - python3 -c \'import docker; docker.from_env().images.load(open("images.tar.gz", "rb"))\'\n'
    return f"""\
deploy-{target.environment}:
  extends: .crossfade
  stage: {target.environment}
{docker if plan.images else plain}\
  environment:
    name: {target.environment}
  resource_group: crossfade-{target.environment}  # one at a time
  rules:
    - if: $CI_COMMIT_BRANCH == {json.dumps(target.branch)}
{manual}\
  script:
    - |
      if [ -z "${{TAG:-}}" ] && git diff --quiet "$CI_COMMIT_BEFORE_SHA" HEAD -- . {except_documents} 2>/dev/null; then
        echo "documents alone: nothing is deployed"
        exit 0
      fi
{load if plan.images else ""}\
    - export VERSION="${{TAG:-$CI_COMMIT_SHA}}"
    - |
{_lines(_ship(target, plan))}"""


def _ship(target: Destination, plan: PipelinePlan) -> list[str]:
    """As the environment was made for it; what is not production has to agree with whom the pipeline is told to use."""
    ships = carry.release(target) if target.codedeploy else carry.deploy(target)
    if target.approve or not plan.strategy:
        return ships
    by_itself, by_jobs = "codedeploy-only", "hybrid | gitlab-only"
    mine, other = (by_itself, by_jobs) if target.codedeploy else (by_jobs, by_itself)
    wanted = "hybrid" if target.codedeploy else "codedeploy-only"
    way_out = f"write 'strategy: {wanted}' and run 'crossfade infra apply -e {target.environment}'"
    return [
        'case "$DEPLOYMENT_STRATEGY" in',
        f"  {mine})",
        *(f"    {line}" for line in ships),
        "    ;;",
        f"  {other})",
        f'    echo "{target.environment} was not made for $DEPLOYMENT_STRATEGY: {way_out}"',
        "    exit 1",
        "    ;;",
        "  *)",
        '    echo "DEPLOYMENT_STRATEGY is hybrid, codedeploy-only or gitlab-only, not $DEPLOYMENT_STRATEGY"',
        "    exit 1",
        "    ;;",
        "esac",
    ]


def _switch(plan: PipelinePlan, target: Destination) -> str:
    return f"""\
# The new hosts are there and well: who runs this gives them the traffic.
switch-{target.environment}:
  extends: .crossfade
  stage: switch
  needs: [deploy-{target.environment}]
  variables:
    AWS_REGION: {target.region}
    INSTALL: {_brought(target, plan)}
  environment:
    name: {target.environment}
  resource_group: crossfade-{target.environment}
  rules:
    - if: $CI_COMMIT_BRANCH == {json.dumps(target.branch)}
      when: manual
  script:
    - |
{_lines(carry.switch(target))}"""


def _rollback(plan: PipelinePlan, target: Destination) -> str:
    return f"""\
# Builds nothing. Run it with CONFIRM={TYPED}, and TO and SERVICE where they are not the last good one and the only one.
rollback-{target.environment}:
  extends: .crossfade
  stage: rollback
  needs: []
  variables:
    AWS_REGION: {target.region}
    INSTALL: {_brought(target, plan)}
    TO: previous
  environment:
    name: {target.environment}
    action: access
  resource_group: crossfade-{target.environment}
  rules:
    - if: $CI_COMMIT_BRANCH == {json.dumps(target.branch)}
      when: manual
      allow_failure: true
  script:
    - |
      if [ "${{CONFIRM:-}}" != {TYPED} ]; then
        echo "nothing was done: set CONFIRM={TYPED} to confirm"
        exit 1
      fi
    - |
{_lines(carry.rollback(target))}"""


def _lines(lines: list[str]) -> str:
    return "".join(f"      {line}\n" for line in lines)


def _brought(target: Destination, plan: PipelinePlan) -> str:
    """For pip, without the quotes of a shell."""
    return json.dumps(carry.install(target, plan.install).strip("'"))
