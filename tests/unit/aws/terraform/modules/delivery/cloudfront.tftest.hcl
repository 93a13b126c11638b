mock_provider "aws" {
  mock_resource "aws_s3_bucket" {
    defaults = {
      arn                         = "arn:aws:s3:::tiketi-prod-site-1"
      id                          = "tiketi-prod-site-1"
      bucket_regional_domain_name = "tiketi-prod-site-1.s3.ap-northeast-2.amazonaws.com"
    }
  }

  mock_resource "aws_cloudfront_distribution" {
    defaults = { arn = "arn:aws:cloudfront::123456789012:distribution/E1", hosted_zone_id = "Z2FDTNDATAQYW2" }
  }

  mock_resource "aws_cloudfront_function" {
    defaults = { arn = "arn:aws:cloudfront::123456789012:function/single-page" }
  }
}

variables {
  name            = "tiketi-prod"
  aliases         = ["tiketi.gg"]
  certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1"
}

run "keeps_each_kind_of_file_as_long_as_it_stays_true" {
  module {
    source = "./modules/delivery/cloudfront"
  }

  assert {
    condition = (
      aws_cloudfront_cache_policy.site["html"].default_ttl == 300
      && aws_cloudfront_cache_policy.site["assets"].default_ttl == 31536000
      && aws_cloudfront_cache_policy.site["images"].default_ttl == 604800
    )
    error_message = "Edges keep pages 5 minutes, hashed assets a year, images a week."
  }

  assert {
    condition = [
      for kind in ["html", "assets", "images"] :
      one(one(aws_cloudfront_response_headers_policy.site[kind].custom_headers_config).items).value
      ] == [
      "public, max-age=300", "public, max-age=31536000, immutable", "public, max-age=604800",
    ]
    error_message = "Browsers are told the same."
  }

  assert {
    condition = {
      for behavior in aws_cloudfront_distribution.site.ordered_cache_behavior :
      behavior.path_pattern => behavior.cache_policy_id == aws_cloudfront_cache_policy.site[endswith(behavior.path_pattern, "js") || endswith(behavior.path_pattern, "css") || endswith(behavior.path_pattern, "woff2") ? "assets" : "images"].id
      } == {
      "*.js"  = true, "*.css" = true, "*.woff2" = true, "*.png" = true, "*.jpg" = true, "*.jpeg" = true, "*.gif" = true,
      "*.svg" = true, "*.webp" = true, "*.avif" = true, "*.ico" = true,
    }
    error_message = "Assets and images have their own policies."
  }
}

run "is_a_closed_bucket_behind_tls" {
  module {
    source = "./modules/delivery/cloudfront"
  }

  assert {
    condition = (
      one(aws_cloudfront_distribution.site.viewer_certificate).minimum_protocol_version == "TLSv1.2_2021"
      && one(aws_cloudfront_distribution.site.default_cache_behavior).viewer_protocol_policy == "redirect-to-https"
    )
    error_message = "Visitors come by TLS 1.2 or newer."
  }

  assert {
    condition = (
      one(aws_cloudfront_distribution.site.origin).origin_access_control_id == aws_cloudfront_origin_access_control.site.id
      && aws_cloudfront_origin_access_control.site.signing_behavior == "always"
    )
    error_message = "CloudFront signs what it asks of the bucket."
  }

  assert {
    condition = (
      aws_s3_bucket_public_access_block.site.block_public_policy
      && aws_s3_bucket_public_access_block.site.restrict_public_buckets
      && aws_s3_bucket_public_access_block.site.block_public_acls
      && aws_s3_bucket_public_access_block.site.ignore_public_acls
    )
    error_message = "The bucket is closed to the public."
  }

  assert {
    condition = (
      jsondecode(aws_s3_bucket_policy.site.policy).Statement[0].Principal.Service == "cloudfront.amazonaws.com"
      && jsondecode(aws_s3_bucket_policy.site.policy).Statement[0].Condition.StringEquals["AWS:SourceArn"] == aws_cloudfront_distribution.site.arn
    )
    error_message = "This distribution alone reads the bucket."
  }

  assert {
    condition = (
      aws_s3_bucket_versioning.site.versioning_configuration[0].status == "Enabled"
      && one(one(aws_s3_bucket_server_side_encryption_configuration.site.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
      && aws_s3_bucket_lifecycle_configuration.site.rule[0].noncurrent_version_expiration[0].noncurrent_days == 30
    )
    error_message = "Files are versioned and encrypted, and old versions go after 30 days."
  }
}

run "answers_pages_of_a_single_page_app" {
  module {
    source = "./modules/delivery/cloudfront"
  }

  assert {
    condition     = one(one(aws_cloudfront_distribution.site.default_cache_behavior).function_association).function_arn == aws_cloudfront_function.single_page[0].arn
    error_message = "Paths without a file get index.html."
  }

  assert {
    condition     = alltrue([for behavior in aws_cloudfront_distribution.site.ordered_cache_behavior : length(behavior.function_association) == 0]) && length(aws_cloudfront_distribution.site.custom_error_response) == 0
    error_message = "An asset that is gone is a 404, and no page that a browser keeps for a year."
  }
}

run "leaves_other_sites_their_paths" {
  module {
    source = "./modules/delivery/cloudfront"
  }

  variables {
    single_page = false
  }

  assert {
    condition     = length(aws_cloudfront_function.single_page) == 0 && length(one(aws_cloudfront_distribution.site.default_cache_behavior).function_association) == 0
    error_message = "A site that is no single-page app keeps its paths."
  }
}

run "has_no_certificate_without_names" {
  module {
    source = "./modules/delivery/cloudfront"
  }

  variables {
    aliases         = []
    certificate_arn = null
  }

  assert {
    condition     = one(aws_cloudfront_distribution.site.viewer_certificate).cloudfront_default_certificate
    error_message = "CloudFront's own name has CloudFront's own certificate."
  }
}
