output "id" {
  description = "The bucket's name."
  value       = aws_s3_bucket.this.id
}

output "arn" {
  description = "The bucket."
  value       = aws_s3_bucket.this.arn
}

output "regional_domain_name" {
  description = "Its address, as a CDN wants it."
  value       = aws_s3_bucket.this.bucket_regional_domain_name
}
