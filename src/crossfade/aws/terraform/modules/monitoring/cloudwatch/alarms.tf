# One alarm for each target of what is watched. It goes on after the limit was passed in every minute of the time.

locals {
  topics = {
    critical = aws_sns_topic.critical.arn
    warning  = aws_sns_topic.warning.arn
  }

  # cpu-backend-80 and cpu-backend-90 can stand beside each other, with a different severity.
  on_metric = merge([
    for alarm in var.alarms : {
      for target, dimensions in local.metrics[alarm.on].targets :
      "${alarm.on}-${target}-${alarm.limit}-${alarm.severity}" => {
        alarm      = alarm
        target     = target
        dimensions = dimensions
        measure    = local.metrics[alarm.on]
      }
    } if contains(keys(local.metrics), alarm.on)
  ]...)

  on_sum = merge([
    for alarm in var.alarms : {
      for target, dimensions in local.sums[alarm.on].targets :
      "${alarm.on}-${target}-${alarm.limit}-${alarm.severity}" => {
        alarm      = alarm
        target     = target
        dimensions = dimensions
        measure    = local.sums[alarm.on]
      }
    } if contains(keys(local.sums), alarm.on)
  ]...)
}

resource "aws_cloudwatch_metric_alarm" "metric" {
  for_each = local.on_metric

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${each.value.alarm.on} of ${each.value.target} past ${each.value.alarm.limit} for ${each.value.alarm.minutes} min"

  namespace           = each.value.measure.namespace
  metric_name         = each.value.measure.metric
  statistic           = startswith(each.value.measure.statistic, "p") ? null : each.value.measure.statistic
  extended_statistic  = startswith(each.value.measure.statistic, "p") ? each.value.measure.statistic : null
  dimensions          = each.value.dimensions
  period              = each.value.measure.period
  evaluation_periods  = max(1, ceil(each.value.alarm.minutes * 60 / each.value.measure.period))
  comparison_operator = each.value.measure.below ? "LessThanThreshold" : "GreaterThanThreshold"
  threshold           = each.value.alarm.limit * each.value.measure.unit
  treat_missing_data  = each.value.measure.missing

  alarm_actions = [local.topics[each.value.alarm.severity]]
  ok_actions    = [local.topics[each.value.alarm.severity]]
}

resource "aws_cloudwatch_metric_alarm" "sum" {
  for_each = local.on_sum

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${each.value.alarm.on} of ${each.value.target} past ${each.value.alarm.limit} for ${each.value.alarm.minutes} min"

  evaluation_periods  = each.value.alarm.minutes
  comparison_operator = each.value.measure.below ? "LessThanThreshold" : "GreaterThanThreshold"
  threshold           = each.value.alarm.limit
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "total"
    expression  = each.value.measure.expression
    label       = each.value.measure.label
    return_data = true
  }

  dynamic "metric_query" {
    for_each = each.value.measure.metrics

    content {
      id = metric_query.key

      metric {
        namespace   = each.value.measure.namespace
        metric_name = metric_query.value
        dimensions  = each.value.dimensions
        period      = 60
        stat        = "Sum"
      }
    }
  }

  alarm_actions = [local.topics[each.value.alarm.severity]]
  ok_actions    = [local.topics[each.value.alarm.severity]]
}
