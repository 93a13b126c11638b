"""GitLab CI: test, build once, deploy to each environment, and go back by hand."""

import json
from collections.abc import Iterator

from crossfade.aws.pipeline import carry
from crossfade.aws.pipeline.plan import DOCUMENTS, TYPED, Plan, Target

FILE = ".gitlab-ci.yml"
HEAD = "# Written by `crossfade pipeline init`. Yours to edit: an edited file is not overwritten.\n"
PYTHON = "python:3.13"
DOCKER = "docker:28"
IMAGES = {"node": "node:{}", "python": "python:{}", "java": "eclipse-temurin:{}"}
CACHES = {"node": ("npm_config_cache", ".npm"), "python": ("PIP_CACHE_DIR", ".pip"), "java": ("MAVEN_OPTS", ".m2")}


def gitlab(plan: Plan) -> dict[str, str]:
    """Text by path from the repository's root."""
    return {FILE: "\n".join(_parts(plan))}


def _parts(plan: Plan) -> Iterator[str]:
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
        for target in plan.targets:
            yield _deploy(plan, target)
    for target in plan.targets:
        yield _rollback(plan, target)


def _stages(plan: Plan) -> tuple[tuple[str, bool], ...]:
    return (
        ("test", True),
        ("build", plan.releases and bool(plan.images)),
        *((target.environment, plan.releases) for target in plan.targets),
        ("rollback", True),
    )


def _workflow(plan: Plan) -> str:
    branches = "".join(f"    - if: $CI_COMMIT_BRANCH == {json.dumps(branch)}\n" for branch in plan.branches)
    return f"""\
workflow:
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
{branches}"""


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


def _test(plan: Plan) -> str:
    language, version = plan.setup[0] if plan.setup else ("", "")
    image = IMAGES[language].format(version) if language else "debian:13"
    lines = [f"test:\n  stage: test\n  image: {image}\n"]
    variables = [pair for one in plan.beside for pair in one.environment]
    variables += [(name, value.format(host=one.name)) for one in plan.beside for name, value in (one.variable,)]
    if plan.beside:
        lines.append("  services:\n")
        lines += [f"    - name: {one.image}\n      alias: {one.name}\n" for one in plan.beside]
    if language:
        name, folder = CACHES[language]
        value = f"-Dmaven.repo.local=$CI_PROJECT_DIR/{folder}" if language == "java" else f"$CI_PROJECT_DIR/{folder}"
        variables.append((name, value))
        lines.append(f"  cache:\n    key: {language}\n    paths: [{folder}]\n")
    if variables:
        lines.append("  variables:\n" + "".join(f"    {name}: {json.dumps(value)}\n" for name, value in variables))
    lines.append("  script:\n    - |\n" + "".join(f"      {line}\n" for line in plan.test.strip().splitlines()))
    return "".join(lines)


def _proposal(plan: Plan) -> str:
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


def _build(plan: Plan) -> str:
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


def _deploy(plan: Plan, target: Target) -> str:
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
{_lines(carry.deploy(target))}"""


def _rollback(plan: Plan, target: Target) -> str:
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


def _brought(target: Target, plan: Plan) -> str:
    """For pip, without the quotes of a shell."""
    return json.dumps(carry.install(target, plan.install).strip("'"))
