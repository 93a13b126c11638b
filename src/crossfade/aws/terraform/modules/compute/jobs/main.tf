# Jobs by the clock. The schedules themselves are a deploy's, for they begin tasks of the release that serves; here is the
# group they are in, the role that begins the tasks, and what is kept and told of how each ended.

data "aws_partition" "current" {}

locals {
  region  = split(":", var.cluster_arn)[3]
  account = split(":", var.cluster_arn)[4]
  prefix  = "arn:${data.aws_partition.current.partition}"

  # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
  stopped = {
    clusterArn = [var.cluster_arn]
    group      = [{ prefix = "job:" }]
    lastStatus = ["STOPPED"]
  }
  rules = {
    ended = jsonencode(local.stopped)
    # It exited with another code than 0, or never began. How a container beside it ends, such as X-Ray's, says nothing.
    # https://github.com/aws/event-ruler: name and code are those of one container.
    failed = jsonencode(merge(local.stopped, {
      "$or" = [
        { containers = { name = var.containers, exitCode = [{ anything-but = 0 }] } },
        { stopCode = ["TaskFailedToStart"] },
      ]
    }))
  }
}

resource "aws_scheduler_schedule_group" "this" {
  name = var.name
}

resource "aws_iam_role" "this" {
  name = "${var.name}-jobs"

  # Schedules of this group alone, which nobody else's can be in.
  # https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "scheduler.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = {
          StringEquals = {
            "aws:SourceAccount" = local.account
            "aws:SourceArn"     = aws_scheduler_schedule_group.this.arn
          }
        }
      },
    ]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "run"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Run"
        Effect    = "Allow"
        Action    = ["ecs:RunTask"]
        Resource  = [for family in var.families : "${local.prefix}:ecs:${local.region}:${local.account}:task-definition/${family}:*"]
        Condition = { ArnEquals = { "ecs:cluster" = var.cluster_arn } }
      },
      {
        Sid       = "Tags"
        Effect    = "Allow"
        Action    = ["ecs:TagResource"]
        Resource  = ["${local.prefix}:ecs:${local.region}:${local.account}:task/${var.name}/*"]
        Condition = { StringEquals = { "ecs:CreateAction" = "RunTask" } }
      },
      {
        Sid       = "Roles"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = var.role_arns
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
    ]
  })
}

# ECS forgets a task an hour after its end.
resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/events/${var.name}-jobs"
  retention_in_days = var.log_retention_days
}

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-cloudwatchlogs-permissions
resource "aws_cloudwatch_log_resource_policy" "this" {
  policy_name = "${var.name}-jobs"

  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = ["delivery.logs.amazonaws.com", "events.amazonaws.com"] }
        Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource  = "${aws_cloudwatch_log_group.this.arn}:*"
      },
    ]
  })
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each = local.rules

  name        = "${var.name}-jobs-${each.key}"
  description = "Runs of jobs that ${each.key}."

  event_pattern = jsonencode({
    source      = ["aws.ecs"]
    detail-type = ["ECS Task State Change"]
    detail      = jsondecode(each.value)
  })
}

resource "aws_cloudwatch_event_target" "ended" {
  rule = aws_cloudwatch_event_rule.this["ended"].name
  arn  = aws_cloudwatch_log_group.this.arn
}

resource "aws_cloudwatch_event_target" "failed" {
  rule = aws_cloudwatch_event_rule.this["failed"].name
  arn  = var.warning_topic_arn

  input_transformer {
    input_paths = {
      job  = "$.detail.group"
      task = "$.detail.taskArn"
      why  = "$.detail.stoppedReason"
    }
    input_template = "\"${var.name}: <job> failed: <why> (<task>)\""
  }
}
