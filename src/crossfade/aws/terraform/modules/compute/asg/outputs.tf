output "name" {
  description = "The group's name."
  value       = aws_autoscaling_group.this.name
}

output "groups" {
  description = "Names of the groups by colour; of a single one, as hosts."
  value = merge(
    { (var.green == null ? "hosts" : "hosts-blue") = aws_autoscaling_group.this.name },
    { for group in aws_autoscaling_group.green : "hosts-green" => group.name },
  )
}

output "arn" {
  description = "The group."
  value       = aws_autoscaling_group.this.arn
}

output "launch_template_id" {
  description = "What hosts are made from; deploys add versions."
  value       = aws_launch_template.this.id
}

output "log_group_name" {
  description = "What its containers write."
  value       = aws_cloudwatch_log_group.this.name
}

output "log_group_arn" {
  description = "What its containers write."
  value       = aws_cloudwatch_log_group.this.arn
}
