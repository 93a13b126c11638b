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
        Principal = { Federated = "arn:aws:iam::${local.account}:oidc-provider/${host}" }
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

  repositories = distinct(flatten([for may in var.services : may.repository_arns]))
  families     = "arn:aws:ecs:${var.region}:${local.account}:task-definition/${var.name}-*"

  deployer_statements = concat(
    [
      {
        Sid    = "Look"
        Effect = "Allow"
        Action = [
          "cloudwatch:DescribeAlarms",
          "cloudwatch:GetMetricData",
          "elasticloadbalancing:DescribeListeners",
          "elasticloadbalancing:DescribeLoadBalancers",
          "elasticloadbalancing:DescribeRules",
          "elasticloadbalancing:DescribeTargetGroups",
          "elasticloadbalancing:DescribeTargetHealth",
        ]
        Resource = ["*"] # these calls take no names
      },
      {
        Sid    = "Traffic"
        Effect = "Allow"
        Action = ["elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyRule"]
        Resource = [
          for kind in ["listener", "listener-rule"] : "${replace(var.load_balancer_arn, ":loadbalancer/", ":${kind}/")}/*"
        ]
      },
    ],
    length(local.repositories) == 0 ? [] : [
      {
        Sid      = "Token"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"]
        Resource = ["*"] # a token is for the account's registry, which has no ARN
      },
      {
        Sid    = "Images"
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability",
          "ecr:BatchGetImage",
          "ecr:CompleteLayerUpload",
          "ecr:DescribeImages",
          "ecr:GetDownloadUrlForLayer",
          "ecr:InitiateLayerUpload",
          "ecr:PutImage",
          "ecr:UploadLayerPart",
        ]
        Resource = local.repositories
      },
    ],
    flatten([for cluster in var.deploys.cluster[*] : [
      {
        Sid    = "Services"
        Effect = "Allow"
        Action = ["ecs:DescribeServices", "ecs:ListServiceDeployments", "ecs:UpdateService"]
        Resource = [
          for service in cluster.services : "${replace(cluster.arn, ":cluster/", ":service/")}/${service}"
        ]
      },
      {
        Sid    = "Deployments"
        Effect = "Allow"
        Action = [
          "ecs:ContinueServiceDeployment",
          "ecs:DescribeServiceDeployments",
          "ecs:DescribeServiceRevisions",
          "ecs:StopServiceDeployment",
        ]
        Resource = [
          for kind in ["service-deployment", "service-revision"] :
          "${replace(cluster.arn, ":cluster/", ":${kind}/")}/*"
        ]
      },
      {
        Sid      = "Tasks"
        Effect   = "Allow"
        Action   = ["ecs:RegisterTaskDefinition", "ecs:RunTask"]
        Resource = ["${local.families}:*"]
      },
      {
        Sid      = "RunningTasks"
        Effect   = "Allow"
        Action   = ["ecs:DescribeTasks", "ecs:StopTask"]
        Resource = ["${replace(cluster.arn, ":cluster/", ":task/")}/*"]
      },
      {
        Sid      = "TaskDefinitions"
        Effect   = "Allow"
        Action   = ["ecs:DescribeTaskDefinition", "ecs:ListTasks"]
        Resource = ["*"] # these calls take no names
      },
      {
        Sid    = "TaskRoles"
        Effect = "Allow"
        Action = ["iam:PassRole"]
        Resource = concat(
          [for role in aws_iam_role.execution : role.arn],
          [for role in aws_iam_role.task : role.arn],
        )
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
    ]]),
    flatten([for group in var.deploys.group[*] : [
      {
        Sid    = "Refresh"
        Effect = "Allow"
        Action = [
          "autoscaling:CancelInstanceRefresh",
          "autoscaling:RollbackInstanceRefresh",
          "autoscaling:StartInstanceRefresh",
          "autoscaling:UpdateAutoScalingGroup",
        ]
        Resource = [
          "arn:aws:autoscaling:${var.region}:${local.account}:autoScalingGroup:*:autoScalingGroupName/${group.name}",
        ]
      },
      {
        Sid      = "LookAtHosts"
        Effect   = "Allow"
        Action   = ["autoscaling:Describe*", "ec2:DescribeInstances", "ec2:DescribeLaunchTemplate*"]
        Resource = ["*"] # Describe calls take no names
      },
      {
        Sid       = "LaunchTemplate"
        Effect    = "Allow"
        Action    = ["ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate", "ec2:RunInstances"]
        Resource  = ["arn:aws:ec2:${var.region}:${local.account}:launch-template/*"]
        Condition = { StringLike = { "aws:ResourceTag/Name" = [var.name, "${var.name}-*"] } }
      },
      {
        Sid    = "Hosts"
        Effect = "Allow"
        Action = ["ec2:RunInstances"]
        Resource = [
          for kind in ["instance", "network-interface", "security-group", "subnet", "volume"] :
          "arn:aws:ec2:${var.region}:${local.account}:${kind}/*"
        ]
      },
      {
        # What it starts is named when it is started, and nothing else of the account at any time.
        Sid       = "HostTags"
        Effect    = "Allow"
        Action    = ["ec2:CreateTags"]
        Resource  = [for kind in ["instance", "network-interface", "volume"] : "arn:aws:ec2:${var.region}:${local.account}:${kind}/*"]
        Condition = { StringEquals = { "ec2:CreateAction" = "RunInstances" } }
      },
      {
        Sid      = "HostImages"
        Effect   = "Allow"
        Action   = ["ec2:RunInstances"]
        Resource = ["arn:aws:ec2:${var.region}::image/*"] # images of AWS belong to no account of ours
      },
      {
        Sid       = "HostRole"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = aws_iam_role.instance[*].arn
        Condition = { StringEquals = { "iam:PassedToService" = "ec2.amazonaws.com" } }
      },
    ]]),
    flatten([for site in var.deploys.site[*] : [
      {
        Sid      = "SiteBucket"
        Effect   = "Allow"
        Action   = ["s3:ListBucket"]
        Resource = [site.bucket_arn]
      },
      {
        Sid      = "SiteFiles"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        Resource = ["${site.bucket_arn}/*"]
      },
      {
        Sid      = "SiteEdge"
        Effect   = "Allow"
        Action   = ["cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"]
        Resource = [site.distribution_arn]
      },
    ]]),
    flatten([for revisions in var.deploys.revisions[*] : [
      {
        Sid      = "Revisions"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject"]
        Resource = ["${revisions.bucket_arn}/*"]
      },
      {
        Sid    = "CodeDeploy"
        Effect = "Allow"
        Action = [
          "codedeploy:CreateDeployment",
          "codedeploy:GetApplicationRevision",
          "codedeploy:GetDeployment",
          "codedeploy:GetDeploymentConfig",
          "codedeploy:ListDeployments",
          "codedeploy:RegisterApplicationRevision",
          "codedeploy:StopDeployment",
        ]
        Resource = [
          for thing in [
            "application:${revisions.application}",
            "deploymentgroup:${revisions.application}/${revisions.group}",
            "deploymentconfig:*",
          ] : "arn:aws:codedeploy:${var.region}:${local.account}:${thing}"
        ]
      },
    ]]),
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

  name   = "deploy"
  role   = aws_iam_role.deployer[0].id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.deployer_statements })
}
