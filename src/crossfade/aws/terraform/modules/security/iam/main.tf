# Who may do what, a file for each kind of somebody: services on Fargate (tasks), hosts, CodeDeploy, whoever deploys.
# A permission is for the thing it is needed for; `*` stands only where AWS knows no names, with a word that says so.

data "aws_partition" "current" {}

locals {
  account   = split(":", var.load_balancer_arn)[4] # from an ARN, so that no plan has to ask AWS who we are
  partition = data.aws_partition.current.partition # aws, aws-cn or aws-us-gov

  # AWS's own services take on these roles for this account only: otherwise somebody else's could ask them to. EC2 does
  # not say for whom it asks.
  # https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
  ours = { Condition = { StringEquals = { "aws:SourceAccount" = local.account } } }
  trust = {
    for service, limit in { ecs-tasks = [local.ours], ec2 = [], codedeploy = [local.ours] } : service => jsonencode({
      Version = "2012-10-17"
      Statement = [
        merge(
          { Effect = "Allow", Principal = { Service = "${service}.amazonaws.com" }, Action = "sts:AssumeRole" },
          limit...
        ),
      ]
    })
  }

  # Statements without a resource would be refused, so each is there only with something to be about.
  pull = {
    for service, may in var.services : service => length(may.repository_arns) == 0 ? [] : [
      {
        Sid      = "Token"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"]
        Resource = ["*"] # a token is for the account's registry, which has no ARN
      },
      {
        Sid      = "Images"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = may.repository_arns
      },
    ]
  }
  secrets = {
    for service, may in var.services : service => length(may.secret_arns) == 0 ? [] : [
      {
        Sid      = "Secrets"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = may.secret_arns
      },
    ]
  }
  logs = {
    for service, may in var.services : service => length(may.log_group_arns) == 0 ? [] : [
      {
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = [for arn in may.log_group_arns : "${arn}:*"]
      },
    ]
  }
  buckets = {
    for service, may in var.services : service => length(may.bucket_arns) == 0 ? [] : [
      {
        Sid      = "Buckets"
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
        Resource = may.bucket_arns
      },
      {
        Sid      = "Objects"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
        Resource = [for arn in may.bucket_arns : "${arn}/*"]
      },
    ]
  }
  traces = !var.tracing ? [] : [
    {
      Sid    = "Traces"
      Effect = "Allow"
      Action = [
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
      ]
      Resource = ["*"] # a trace has no ARN before it is there
    },
  ]
}
