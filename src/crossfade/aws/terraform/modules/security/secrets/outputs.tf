output "arns" {
  description = "ARNs by the variable in which instances get the secret."
  value       = { for variable, secret in aws_secretsmanager_secret.this : variable => secret.arn }
}

output "names" {
  description = "Names in Secrets Manager by variable: what a person needs to put in the values."
  value       = { for variable, secret in aws_secretsmanager_secret.this : variable => secret.name }
}
