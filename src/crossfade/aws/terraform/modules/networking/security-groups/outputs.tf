output "alb_id" {
  description = "Group of the load balancer."
  value       = aws_security_group.alb.id
}

output "app_id" {
  description = "Group of the application."
  value       = aws_security_group.app.id
}

output "database_id" {
  description = "Group of the database. Null: there is none."
  value       = one(aws_security_group.database[*].id)
}

output "cache_id" {
  description = "Group of the cache. Null: there is none."
  value       = one(aws_security_group.cache[*].id)
}
