# What CodeDeploy does with hosts: it takes them out of the balancer and back, and for blue/green it makes a copy of the
# Auto Scaling group, which it names CodeDeploy_<deployment group>_<id>.
# https://docs.aws.amazon.com/codedeploy/latest/userguide/getting-started-create-service-role.html

locals {
  codedeploy = var.codedeploy == null ? [] : [var.codedeploy]
  # Exactly these: shop-prod* would be shop-production too.
  group_names = [var.name, "${var.name}-*", "CodeDeploy_${var.name}_*"]
  own_groups = [
    for name in local.group_names :
    "arn:${local.partition}:autoscaling:${var.region}:${local.account}:autoScalingGroup:*:autoScalingGroupName/${name}"
  ]
  instances = "arn:${local.partition}:ec2:${var.region}:${local.account}:instance/*"

  codedeploy_statements = flatten([for codedeploy in local.codedeploy : concat(
    [
      {
        Sid    = "Look"
        Effect = "Allow"
        Action = [
          "autoscaling:Describe*",
          "cloudwatch:DescribeAlarms",
          "ec2:DescribeInstances",
          "ec2:DescribeInstanceStatus",
          "elasticloadbalancing:DescribeListeners",
          "elasticloadbalancing:DescribeLoadBalancers",
          "elasticloadbalancing:DescribeRules",
          "elasticloadbalancing:DescribeTargetGroups",
          "elasticloadbalancing:DescribeTargetHealth",
          "tag:GetResources",
        ]
        Resource = ["*"] # Describe calls take no names
      },
      {
        Sid    = "Group"
        Effect = "Allow"
        Action = [
          "autoscaling:CompleteLifecycleAction",
          "autoscaling:DeleteLifecycleHook",
          "autoscaling:PutLifecycleHook",
          "autoscaling:RecordLifecycleActionHeartbeat",
          "autoscaling:ResumeProcesses",
          "autoscaling:SuspendProcesses",
        ]
        Resource = local.own_groups
      },
      {
        Sid      = "Balancer"
        Effect   = "Allow"
        Action   = ["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"]
        Resource = codedeploy.target_group_arns
      },
      {
        Sid      = "Tell"
        Effect   = "Allow"
        Action   = ["sns:Publish"]
        Resource = [codedeploy.topic_arn]
      },
    ],
    flatten([for kind in codedeploy.blue_green ? ["copy"] : [] : [
      {
        Sid    = "CopyOfGroup"
        Effect = "Allow"
        Action = [
          "autoscaling:AttachLoadBalancerTargetGroups",
          "autoscaling:AttachTrafficSources",
          "autoscaling:CreateAutoScalingGroup",
          "autoscaling:CreateOrUpdateTags",
          "autoscaling:DeleteAutoScalingGroup",
          "autoscaling:DetachTrafficSources",
          "autoscaling:EnableMetricsCollection",
          "autoscaling:PutNotificationConfiguration",
          "autoscaling:PutScalingPolicy",
          "autoscaling:PutScheduledUpdateGroupAction",
          "autoscaling:PutWarmPool",
          "autoscaling:UpdateAutoScalingGroup",
        ]
        Resource = local.own_groups
      },
      {
        Sid    = "Hosts"
        Effect = "Allow"
        Action = ["ec2:RunInstances"]
        Resource = [
          for kind in ["instance", "launch-template", "network-interface", "security-group", "subnet", "volume"] :
          "arn:${local.partition}:ec2:${var.region}:${local.account}:${kind}/*"
        ]
      },
      {
        # What it starts is named when it is started, and nothing else of the account at any time.
        Sid       = "HostTags"
        Effect    = "Allow"
        Action    = ["ec2:CreateTags"]
        Resource  = [for kind in ["instance", "network-interface", "volume"] : "arn:${local.partition}:ec2:${var.region}:${local.account}:${kind}/*"]
        Condition = { StringEquals = { "ec2:CreateAction" = "RunInstances" } }
      },
      {
        Sid      = "Images"
        Effect   = "Allow"
        Action   = ["ec2:RunInstances"]
        Resource = ["arn:${local.partition}:ec2:${var.region}::image/*"] # images of AWS belong to no account of ours
      },
      {
        Sid       = "OldHosts"
        Effect    = "Allow"
        Action    = ["ec2:TerminateInstances"]
        Resource  = [local.instances]
        Condition = { StringLike = { "aws:ResourceTag/aws:autoscaling:groupName" = local.group_names } }
      },
      {
        Sid      = "HostRole"
        Effect   = "Allow"
        Action   = ["iam:PassRole"]
        Resource = aws_iam_role.instance[*].arn
      },
    ]]),
  )])
}

resource "aws_iam_role" "codedeploy" {
  count = length(local.codedeploy)

  name               = "${var.name}-codedeploy"
  description        = "CodeDeploy in ${var.name}"
  assume_role_policy = local.trust["codedeploy"]
}

resource "aws_iam_role_policy" "codedeploy" {
  count = length(local.codedeploy)

  name   = "deploy"
  role   = aws_iam_role.codedeploy[0].id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.codedeploy_statements })
}
