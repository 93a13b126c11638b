# A warning before the bill.

locals {
  notices = merge(
    var.forecast_percent == null ? {} : {
      FORECASTED = { percent = var.forecast_percent, topic = var.warning_topic_arn }
    },
    var.actual_percent == null ? {} : {
      ACTUAL = { percent = var.actual_percent, topic = var.critical_topic_arn }
    },
  )
}

resource "aws_budgets_budget" "this" {
  name         = var.name
  budget_type  = "COST"
  limit_amount = tostring(var.monthly)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  dynamic "cost_filter" {
    for_each = var.environment == null ? [] : [var.environment]

    content {
      name   = "TagKeyValue"
      values = [format("user:Environment$%s", cost_filter.value)]
    }
  }

  dynamic "notification" {
    for_each = local.notices

    content {
      comparison_operator       = "GREATER_THAN"
      notification_type         = notification.key
      threshold                 = notification.value.percent
      threshold_type            = "PERCENTAGE"
      subscriber_sns_topic_arns = [notification.value.topic]
    }
  }
}
