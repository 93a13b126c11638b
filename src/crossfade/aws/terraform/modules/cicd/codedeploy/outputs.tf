output "application" {
  description = "Name of the application."
  value       = aws_codedeploy_app.this.name
}

output "deployment_groups" {
  description = "Names of the deployment groups."
  value = concat(
    aws_codedeploy_deployment_group.this[*].deployment_group_name,
    [for group in aws_codedeploy_deployment_group.colour : group.deployment_group_name],
  )
}

output "bucket" {
  description = "Bucket that revisions are uploaded to."
  value       = aws_s3_bucket.revisions.id
}

output "bucket_arn" {
  description = "ARN of that bucket."
  value       = aws_s3_bucket.revisions.arn
}
