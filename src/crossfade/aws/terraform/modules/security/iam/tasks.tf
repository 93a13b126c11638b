# Fargate starts a task with one role and runs it with another: what reads the secrets is not what answers visitors.

locals {
  tasks      = var.fargate ? var.services : {}
  execution  = { for service in keys(local.tasks) : service => concat(local.pull[service], local.logs[service], local.secrets[service]) }
  permission = { for service in keys(local.tasks) : service => concat(local.buckets[service], local.traces) }
}

resource "aws_iam_role" "execution" {
  for_each = local.tasks

  name               = "${var.name}-${each.key}-execution"
  description        = "Starts tasks of ${each.key}: image, log, secrets"
  assume_role_policy = local.trust["ecs-tasks"]
}

resource "aws_iam_role_policy" "execution" {
  for_each = { for service, statements in local.execution : service => statements if length(statements) > 0 }

  name   = "start"
  role   = aws_iam_role.execution[each.key].id
  policy = jsonencode({ Version = "2012-10-17", Statement = each.value })
}

resource "aws_iam_role" "task" {
  for_each = local.tasks

  name               = "${var.name}-${each.key}-task"
  description        = "What ${each.key} itself may do"
  assume_role_policy = local.trust["ecs-tasks"]
}

resource "aws_iam_role_policy" "task" {
  for_each = { for service, statements in local.permission : service => statements if length(statements) > 0 }

  name   = "run"
  role   = aws_iam_role.task[each.key].id
  policy = jsonencode({ Version = "2012-10-17", Statement = each.value })
}
