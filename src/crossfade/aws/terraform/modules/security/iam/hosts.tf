# A host does for its services what Fargate does for tasks, and can be reached by Session Manager instead of SSH.

locals {
  hosts = var.hosts == null ? [] : [var.hosts]

  host_statements = flatten([for hosts in local.hosts : concat(
    flatten(values(local.pull)),
    flatten(values(local.secrets)),
    flatten(values(local.logs)),
    flatten(values(local.buckets)),
    local.traces,
    [
      {
        Sid       = "Metrics"
        Effect    = "Allow"
        Action    = ["cloudwatch:PutMetricData"]
        Resource  = ["*"] # a metric has no ARN; its namespace is what can be named
        Condition = { StringEquals = { "cloudwatch:namespace" = hosts.namespaces } }
      },
      {
        Sid      = "Self"
        Effect   = "Allow"
        Action   = ["ec2:DescribeTags", "ec2:DescribeVolumes"]
        Resource = ["*"] # Describe calls of EC2 take no names
      },
    ],
    length(hosts.log_group_arns) == 0 ? [] : [
      {
        Sid      = "AgentLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = [for arn in hosts.log_group_arns : "${arn}:*"]
      },
    ],
    !hosts.agent_parameter ? [] : [
      {
        Sid      = "Agent"
        Effect   = "Allow"
        Action   = ["ssm:GetParameter"]
        Resource = ["arn:${local.partition}:ssm:${var.region}:${local.account}:parameter/AmazonCloudWatch-${var.name}"]
      },
    ],
    !hosts.host_keys ? [] : [
      {
        # Each tells its own, once: what is told already nobody writes over.
        Sid       = "HostKey"
        Effect    = "Allow"
        Action    = ["ssm:PutParameter"]
        Resource  = ["arn:${local.partition}:ssm:${var.region}:${local.account}:parameter/${var.name}/host-keys/*"]
        Condition = { StringEquals = { "ssm:Overwrite" = "false" } }
      },
    ],
    flatten([for revisions in hosts.revisions[*] : [
      {
        Sid      = "Revisions"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:GetObjectVersion"]
        Resource = ["${revisions.bucket_arn}/*"]
      },
      {
        # The agent of CodeDeploy is itself fetched from a bucket that AWS keeps in each region.
        Sid      = "CodeDeployAgent"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = ["arn:${local.partition}:s3:::aws-codedeploy-${var.region}/*"]
      },
    ]]),
  )])
}

resource "aws_iam_role" "instance" {
  count = length(local.hosts)

  name               = "${var.name}-host"
  description        = "What hosts of ${var.name} may do"
  assume_role_policy = local.trust["ec2"]
}

resource "aws_iam_role_policy" "instance" {
  count = length(local.hosts)

  name   = "run"
  role   = aws_iam_role.instance[0].id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.host_statements })
}

resource "aws_iam_role_policy_attachment" "session_manager" {
  count = length(local.hosts)

  role       = aws_iam_role.instance[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "this" {
  count = length(local.hosts)

  name = "${var.name}-host"
  role = aws_iam_role.instance[0].name
}
