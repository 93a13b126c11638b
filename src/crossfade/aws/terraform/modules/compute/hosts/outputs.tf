output "instances" {
  description = "The hosts, by a name for people."
  value       = { for index, host in aws_instance.this : "host-${index + 1}" => host.id }
}

output "addresses" {
  description = "Where they are reached, in the order in which a release reaches them."
  value       = var.fixed_address ? aws_eip.this[*].public_ip : aws_instance.this[*].private_ip
}

output "log_group_name" {
  description = "What they write."
  value       = aws_cloudwatch_log_group.this.name
}

output "log_group_arn" {
  description = "What they write."
  value       = aws_cloudwatch_log_group.this.arn
}
