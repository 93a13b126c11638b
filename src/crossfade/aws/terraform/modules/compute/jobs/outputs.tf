output "group" {
  description = "The group of the schedules that deploys put."
  value       = aws_scheduler_schedule_group.this.name
}
