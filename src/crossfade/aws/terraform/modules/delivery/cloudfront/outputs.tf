output "bucket" {
  description = "Bucket the site is uploaded to."
  value       = aws_s3_bucket.site.id
}

output "bucket_arn" {
  description = "ARN of that bucket."
  value       = aws_s3_bucket.site.arn
}

output "distribution_id" {
  description = "Distribution whose files are invalidated after an upload."
  value       = aws_cloudfront_distribution.site.id
}

output "distribution_arn" {
  description = "ARN of that distribution."
  value       = aws_cloudfront_distribution.site.arn
}

output "domain_name" {
  description = "CloudFront's own name of the site."
  value       = aws_cloudfront_distribution.site.domain_name
}

output "zone_id" {
  description = "Hosted zone of CloudFront, for aliases."
  value       = aws_cloudfront_distribution.site.hosted_zone_id
}
