output "name" {
  description = "Name of the pipeline."
  value       = aws_codepipeline.this.name
}

output "connection_arn" {
  description = "Connection to the repository, which somebody has to agree to once."
  value       = aws_codeconnections_connection.source.arn
}

output "artifact_bucket" {
  description = "Bucket of the artifacts."
  value       = aws_s3_bucket.artifacts.id
}
