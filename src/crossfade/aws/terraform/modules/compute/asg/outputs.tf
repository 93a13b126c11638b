output "name" {
  description = "The group's name."
  value       = aws_autoscaling_group.this.name
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
