output "repository_url" {
  description = "Where images are pushed to."
  value       = aws_ecr_repository.this.repository_url
}

output "repository_arn" {
  description = "The repository."
  value       = aws_ecr_repository.this.arn
}

output "repository_name" {
  description = "Its name."
  value       = aws_ecr_repository.this.name
}
