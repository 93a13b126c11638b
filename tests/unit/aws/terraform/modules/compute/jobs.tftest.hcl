mock_provider "aws" {
  mock_resource "aws_scheduler_schedule_group" {
    defaults = { arn = "arn:aws:scheduler:eu-central-1:123456789012:schedule-group/shop-prod" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/events/shop-prod-jobs" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

run "jobs_by_the_clock" {
  module {
    source = "./modules/compute/jobs"
  }

  variables {
    name              = "shop-prod"
    cluster_arn       = "arn:aws:ecs:eu-central-1:123456789012:cluster/shop-prod"
    families          = ["shop-prod-web"]
    containers        = ["web"]
    role_arns         = ["arn:aws:iam::123456789012:role/shop-prod-web-task"]
    warning_topic_arn = "arn:aws:sns:eu-central-1:123456789012:shop-prod-warning"
  }

  assert {
    condition     = output.group == "shop-prod" && aws_iam_role.this.name == "shop-prod-jobs"
    error_message = "A deploy finds group and role by their names."
  }

  assert {
    condition = (
      jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceArn"]
      == aws_scheduler_schedule_group.this.arn
    )
    error_message = "Only schedules of this group take the role on."
  }

  assert {
    condition = (
      jsondecode(aws_iam_role_policy.this.policy).Statement[0].Resource
      == ["arn:aws:ecs:eu-central-1:123456789012:task-definition/shop-prod-web:*"]
    )
    error_message = "Tasks of these services alone, whichever release."
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.name == "/aws/events/shop-prod-jobs" && aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "How runs ended is kept where `status` reads it."
  }

  assert {
    condition = (
      jsondecode(aws_cloudwatch_event_rule.this["ended"].event_pattern).detail.group == [{ prefix = "job:" }]
      && jsondecode(aws_cloudwatch_event_rule.this["failed"].event_pattern).detail["$or"][0].containers == { name = ["web"], exitCode = [{ anything-but = 0 }] }
    )
    error_message = "All ends are kept, and failures told."
  }
}
