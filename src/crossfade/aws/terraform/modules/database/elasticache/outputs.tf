output "replication_group_id" {
  description = "The cache as metrics name it."
  value       = aws_elasticache_replication_group.this.replication_group_id
}

output "arn" {
  description = "The cache."
  value       = aws_elasticache_replication_group.this.arn
}

output "endpoint" {
  description = "Its host name."
  value       = var.cluster ? aws_elasticache_replication_group.this.configuration_endpoint_address : aws_elasticache_replication_group.this.primary_endpoint_address
}
