# Written by `crossfade infra init`. Yours to edit: an edited file is not overwritten.

output "database_address" {
  description = "The database's host name."
  value       = module.database.address
}

output "database_secret_arn" {
  description = "Secret with the database's password."
  value       = module.database.secret_arn
}

output "urls" {
  description = "Where visitors find it."
  value       = ["http://${module.alb.dns_name}"]
}

output "secrets" {
  description = "Secrets to put values in, by variable."
  value       = module.secrets.names
}
