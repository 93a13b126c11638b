# Steps, queues, topics and buses across accounts.

resource "aws_sfn_state_machine" "quiet" { # CF-OBS-008
  name       = "quiet"
  role_arn   = "arn:aws:iam::123456789012:role/steps"
  definition = jsonencode({ StartAt = "A", States = { A = { Type = "Task", Resource = aws_sqs_queue.orders.arn, End = true } } })
}

resource "aws_sfn_state_machine" "heard" {
  name       = "heard"
  role_arn   = "arn:aws:iam::123456789012:role/steps"
  definition = jsonencode({ StartAt = "A", States = { A = { Type = "Task", Resource = aws_sqs_queue.orders.arn, End = true } } })
  logging_configuration {
    level           = "ERROR"
    log_destination = "arn:aws:logs:us-east-1:123456789012:log-group:/steps:*"
  }
}

resource "aws_sns_topic" "orders" {
  name              = "orders"
  kms_master_key_id = "alias/aws/sns"
}

resource "aws_sns_topic_policy" "open" { # CF-SEC-009
  arn    = aws_sns_topic.orders.arn
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { AWS = "*" }, Action = "sns:Subscribe", Resource = "*" }] })
}

resource "aws_sns_topic_policy" "of_owner" {
  arn = aws_sns_topic.orders.arn
  policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect    = "Allow", Principal = { AWS = "*" }, Action = ["sns:Subscribe", "sns:Publish"], Resource = "*"
    Condition = { StringEquals = { "AWS:SourceOwner" = "123456789012" } }
  }] })
}

resource "aws_sns_topic_subscription" "plain" { # CF-DAT-003
  topic_arn = aws_sns_topic.orders.arn
  protocol  = "http"
  endpoint  = "http://partner.example.com/orders"
}

resource "aws_sns_topic_subscription" "sealed" {
  topic_arn = aws_sns_topic.orders.arn
  protocol  = "https"
  endpoint  = "https://partner.example.com/orders"
}

resource "aws_sqs_queue" "orders" {
  name = "orders"
}

resource "aws_sqs_queue_policy" "any_bus" { # CF-SEC-015
  queue_url = aws_sqs_queue.orders.id
  policy    = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "events.amazonaws.com" }, Action = "sqs:SendMessage", Resource = "*" }] })
}

resource "aws_sqs_queue_policy" "one_rule" {
  queue_url = aws_sqs_queue.orders.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect    = "Allow", Principal = { Service = "events.amazonaws.com" }, Action = "sqs:SendMessage", Resource = "*"
    Condition = { ArnEquals = { "aws:SourceArn" = "arn:aws:events:us-east-1:222233334444:rule/orders" } }
  }] })
}

resource "aws_sqs_queue_policy" "partner" {
  queue_url = aws_sqs_queue.orders.id
  policy    = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { AWS = "arn:aws:iam::222233334444:role/sender" }, Action = "sqs:SendMessage", Resource = "*" }] })
}

resource "aws_sqs_queue_policy" "any_organisation" { # CF-SEC-009
  queue_url = aws_sqs_queue.orders.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect    = "Allow", Principal = "*", Action = "sqs:SendMessage", Resource = "*"
    Condition = { StringLike = { "aws:PrincipalOrgID" = "o-*" } }
  }] })
}

resource "aws_cloudwatch_event_permission" "open" { # CF-SEC-009
  principal    = "*"
  statement_id = "all"
}

resource "aws_cloudwatch_event_permission" "ours" {
  principal    = "*"
  statement_id = "ours"
  condition {
    key   = "aws:PrincipalOrgID"
    type  = "StringEquals"
    value = "o-abcdef1234"
  }
}

resource "aws_cloudwatch_event_connection" "typed" { # CF-SEC-012
  name               = "typed"
  authorization_type = "API_KEY"
  auth_parameters {
    api_key {
      key   = "x-api-key"
      value = "correct-horse-9-battery"
    }
  }
}

resource "aws_cloudwatch_event_connection" "looked_up" {
  name               = "looked-up"
  authorization_type = "API_KEY"
  auth_parameters {
    api_key {
      key   = "x-api-key"
      value = var.outside
    }
  }
}

resource "aws_iam_role_policy" "steps" { # CF-SEC-005, CF-SEC-010
  role = "steps"
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "states:*", Resource = "*" },
    { Effect = "Allow", Action = "lambda:UpdateFunctionCode", Resource = "*" },
  ] })
}

resource "aws_iam_role_policy" "narrow" {
  role = "steps"
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "states:StartExecution", Resource = "arn:aws:states:us-east-1:123456789012:stateMachine:heard" },
    { Effect = "Allow", Action = ["logs:CreateLogDelivery", "logs:PutResourcePolicy"], Resource = "*" },
    { Effect = "Allow", Action = "lambda:InvokeFunction", Resource = "*" },
  ] })
}

resource "aws_mq_broker" "single" { # CF-DAT-006, CF-OBS-009, CF-DAT-001, CF-SEC-012, CF-DAT-018
  broker_name         = "single"
  engine_type         = "ActiveMQ"
  engine_version      = "5.18"
  host_instance_type  = "mq.t3.micro"
  publicly_accessible = true
  user {
    username = "app"
    password = "correct-horse-9-battery"
  }
}

resource "aws_mq_broker" "pair" {
  broker_name                = "pair"
  engine_type                = "ActiveMQ"
  engine_version             = "5.18"
  host_instance_type         = "mq.m5.large"
  deployment_mode            = "ACTIVE_STANDBY_MULTI_AZ"
  auto_minor_version_upgrade = true
  logs {
    general = true
    audit   = true
  }
  user {
    username = "app"
    password = var.outside
  }
}
