# Whoever deploys takes on this role for an hour: a job of CI proves by an OpenID token which branch it runs for, a person
# or another role is named. No key is made that could be lost.

locals {
  deployer = var.deployer == null ? [] : [var.deployer]

  # https://docs.github.com/actions/reference/security/oidc
  # https://docs.gitlab.com/ci/cloud_services/aws/
  issuers = var.deployer == null ? {} : merge(
    var.deployer.github == null ? {} : {
      "token.actions.githubusercontent.com" = {
        audience = "sts.amazonaws.com"
        subject  = "repo:${var.deployer.github}:ref:refs/heads/${var.deployer.branch}"
      }
    },
    var.deployer.gitlab == null ? {} : {
      "gitlab.com" = {
        audience = "https://gitlab.com"
        subject  = "project_path:${var.deployer.gitlab}:ref_type:branch:ref:${var.deployer.branch}"
      }
    },
  )

  deployer_trust = concat(
    [
      for host, issuer in local.issuers : {
        Effect    = "Allow"
        Principal = { Federated = "arn:${local.partition}:iam::${local.account}:oidc-provider/${host}" }
        Action    = "sts:AssumeRoleWithWebIdentity"
        Condition = { StringEquals = { "${host}:aud" = issuer.audience, "${host}:sub" = issuer.subject } }
      }
    ],
    [
      for deployer in local.deployer : {
        Effect    = "Allow"
        Principal = { AWS = deployer.principals }
        Action    = "sts:AssumeRole"
      } if length(deployer.principals) > 0
    ],
  )
}

resource "aws_iam_openid_connect_provider" "this" {
  for_each = { for host, issuer in local.issuers : host => issuer if try(var.deployer.providers, false) }

  url            = "https://${each.key}"
  client_id_list = [each.value.audience]
}

resource "aws_iam_role" "deployer" {
  count = length(local.deployer)

  name                 = "${var.name}-deployer"
  description          = "Deploys ${var.name}"
  max_session_duration = 3600
  assume_role_policy   = jsonencode({ Version = "2012-10-17", Statement = local.deployer_trust })

  depends_on = [aws_iam_openid_connect_provider.this]
}

resource "aws_iam_role_policy" "deployer" {
  count = length(local.deployer)

  name = "deploy"
  role = aws_iam_role.deployer[0].id
  # `crossfade infra rights` prints the same.
  policy = templatefile(var.deployer_policy, { partition = local.partition, account = local.account })
}
