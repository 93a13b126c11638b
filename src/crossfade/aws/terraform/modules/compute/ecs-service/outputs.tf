output "names" {
  description = "The services' names in ECS, by colour."
  value       = { for colour, service in aws_ecs_service.this : colour => service.name }
}

output "arns" {
  description = "The services, by colour."
  value       = { for colour, service in aws_ecs_service.this : colour => service.id }
}

output "task_family" {
  description = "Family of their task definitions."
  value       = aws_ecs_task_definition.this.family
}

output "log_group_name" {
  description = "What their tasks write."
  value       = aws_cloudwatch_log_group.this.name
}

output "log_group_arn" {
  description = "What their tasks write."
  value       = aws_cloudwatch_log_group.this.arn
}
