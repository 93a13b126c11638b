"""The list of rules as a page, made from the rules: `python -m crossfade.aws.audit.page docs/audit.md`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from crossfade.aws.audit import file, plan
from crossfade.aws.audit.account import OF_ASKED
from crossfade.aws.audit.other import others
from crossfade.aws.audit.rule import AuditRule, rules

_OPENING = """\
# Audit

```bash
crossfade audit -e prod                            # the file
crossfade audit --plan plan.json                   # any Terraform: terraform show -json PLAN > plan.json
crossfade audit -e prod --plan plan.json           # both
crossfade audit --account                          # the account: root, passwords, keys
crossfade audit -e prod --sarif audit.sarif        # for a code host; - is stdout
```

Findings are sorted by severity. Exit code 0: nothing at or above `--fail-on` (default `high`) was found that nobody
accepted; 3: something was; 2: the file, the plan or an option is wrong. `--fail-on none` only reports. `--json` has the
same with stable keys.

Some rules are strict where visitors are and weaker, or silent, elsewhere. An environment is production when its name
says so (`prod`, `production`, `live`, `prod-eu`); a plan when a tag Environment, Env or Stage does, or when none of its
resources has one.

What a plan does not know before it is applied is no finding. A policy that names what the same plan makes is known
statement by statement when it is an `aws_iam_policy_document`, and not at all when it is a `jsonencode`.

A password counts as written in the configuration when it stands there as it is, or comes from there: by a variable's
default, a module's argument, or a function of constants. One that a variable brings from outside does not, nor one
that was looked up. A plan does not say what a local value is made of: it counts where nothing in it came from outside.

A plan tells neither where Terraform keeps its state nor what it looked up before, such as images: no rule is about
those.
A role's rights are looked at policy by policy: what two of them give together, or a boundary takes away again, is not
worked out. What no rule is about yet stands in [the table](#beside-other-checkers).

`--account` asks AWS, with your own credentials (a role or a profile as for the AWS CLI) and `pip install
'crossfade[aws]'`, what no file knows: whether root has a second factor or keys, how weak a password may be, and which
passwords and keys nobody uses. It takes `iam:GetAccountSummary`, `GetAccountPasswordPolicy`, `GenerateCredentialReport`
and `GetCredentialReport`, and changes nothing.

## Living with a finding

```yaml
app: shop
services:
  web: {image: shop/web, replicas: 2, resources: {cpu: 0.5, memory: 1G}}
environments:
  prod:
    platform: aws
    cloud:
      accept:
        - {id: CF-NET-006, reason: It may stand still for an hour, until: 2027-03-31}
        - {id: CF-SEC-001, where: services.web.env.*, reason: A key for the test shop, until: 2027-01-31}
```

`reason` and `until` are required. After that day the finding counts again and says that its acceptance is over.
`where` is the key or the resource's address as `audit` shows it, with `*` for any part. For a plan without a file,
`--accept FILE` reads the same list, under `accept:` at its top.

## Rules

Made from the rules by `python -m crossfade.aws.audit.page docs/audit.md`; change the rules, not this list.
"""

_OTHERS = """\
## Beside other checkers

All that AWS's Foundational Security Best Practices (FSBP, of December 2025) and checkov 3.3 look at, and which of the
rules above sees the same. Where none does, the reason stands there, or that none does so far: what stands neither
here nor above is not looked at. The last column is what the Terraform of `infra init` does about it, for the services
that it writes. All that checkov has against the five production environments of `examples/` is among them: some is
theirs by choice, as a bucket without versions or a database in one zone.

| FSBP | checkov | what | seen by | what is written |
| --- | --- | --- | --- | --- |"""


def page() -> str:
    sections = (line for rule in rules().values() for line in _section(rule))
    return "\n".join([_OPENING, *sections, _OTHERS, *_others()])


def _others() -> Iterator[str]:
    for area, checks in others().items():
        yield f"| **{area}** | | | | |"
        for one in checks:
            names = (", ".join(one.fsbp), ", ".join(one.checkov), one.what, one.seen, one.ours)
            yield f"| {' | '.join(names)} |".replace("|  |", "| |").replace("|  |", "| |")
    yield ""


def _section(rule: AuditRule) -> Iterator[str]:
    elsewhere = "" if rule.elsewhere == rule.severity else f", elsewhere {rule.elsewhere or 'no finding'}"
    source = f"<{rule.source}>" if rule.source.startswith("https://") else rule.source
    yield f"### {rule.id}: {rule.title}"
    yield ""
    yield f"{str(rule.severity).capitalize()}{elsewhere}. Looks at {' and '.join(_looks_at(rule))}."
    yield ""
    yield f"{rule.why} Mend it: {rule.mend}"
    yield ""
    yield f"Source: {source}."
    yield ""


def _looks_at(rule: AuditRule) -> Iterator[str]:
    if rule.id in file.RULES:
        yield "the file"
    if rule.id in plan.RULES:
        yield "plans"
    if rule.id in OF_ASKED:
        yield "the account"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
