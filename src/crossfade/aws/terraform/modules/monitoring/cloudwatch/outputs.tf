output "critical_topic_arn" {
  description = "Topic of those who are told of critical alarms."
  value       = aws_sns_topic.critical.arn
}

output "warning_topic_arn" {
  description = "Topic of those who are told of warnings."
  value       = aws_sns_topic.warning.arn
}

output "rollback_alarm_names" {
  description = "Alarms on what visitors see: errors and latency. A deploy that sets them off is taken back."
  value = concat(
    [for key, alarm in aws_cloudwatch_metric_alarm.sum : alarm.alarm_name if local.on_sum[key].alarm.on == "errors"],
    [for key, alarm in aws_cloudwatch_metric_alarm.metric : alarm.alarm_name if local.on_metric[key].alarm.on == "latency"],
  )
}

output "agent_parameter" {
  description = "Name of the parameter with the agent's configuration; null without an agent."
  value       = one(aws_ssm_parameter.agent[*].name)
}

output "log_group_names" {
  description = "Log groups of the hosts."
  value       = [for group in aws_cloudwatch_log_group.hosts : group.name]
}

output "log_group_arns" {
  description = "ARNs of those log groups."
  value       = [for group in aws_cloudwatch_log_group.hosts : group.arn]
}
