# Written by `crossfade infra init`. Yours to edit: an edited file is not overwritten.

output "database_address" {
  description = "The database's host name."
  value       = module.database.address
}

output "database_secret_arn" {
  description = "Secret with the database's password."
  value       = module.database.secret_arn
}

output "cache_endpoint" {
  description = "The cache's host name."
  value       = module.cache.endpoint
}

output "bucket_files_id" {
  description = "The bucket `files`."
  value       = module.bucket_files.id
}

output "bucket_static_id" {
  description = "The bucket `static`."
  value       = module.bucket_static.id
}

output "bucket_logs_id" {
  description = "The bucket `logs`."
  value       = module.bucket_logs.id
}

output "name_servers" {
  description = "Name servers to enter where the domain was bought."
  value       = module.dns.name_servers
}

output "urls" {
  description = "Where visitors find it."
  value       = ["https://codemate-dev.code1398.io"]
}

output "secrets" {
  description = "Secrets to put values in, by variable."
  value       = module.secrets.names
}

output "connection" {
  description = "Agree to this connection once, in the console."
  value       = module.pipeline.connection_arn
}
