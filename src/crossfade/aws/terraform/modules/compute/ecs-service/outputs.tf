output "name" {
  description = "The service's name."
  value       = aws_ecs_service.this.name
}

output "arn" {
  description = "The service."
  value       = aws_ecs_service.this.id
}

output "task_family" {
  description = "Family of its task definitions."
  value       = aws_ecs_task_definition.this.family
}

output "log_group_name" {
  description = "What its tasks write."
  value       = aws_cloudwatch_log_group.this.name
}

output "log_group_arn" {
  description = "What its tasks write."
  value       = aws_cloudwatch_log_group.this.arn
}
