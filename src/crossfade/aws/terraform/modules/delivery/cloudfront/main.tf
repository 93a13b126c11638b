# The site at the edge: files of a private bucket, each kind kept as long as it stays true.

locals {
  named  = length(var.aliases) > 0 # and not whether there is a certificate, which a plan does not know yet
  assets = ["*.js", "*.css", "*.woff2"]
  images = ["*.png", "*.jpg", "*.jpeg", "*.gif", "*.svg", "*.webp", "*.avif", "*.ico"]

  kinds = {
    html   = { seconds = var.html_seconds, cache_control = "public, max-age=${var.html_seconds}" }
    assets = { seconds = var.asset_seconds, cache_control = "public, max-age=${var.asset_seconds}, immutable" }
    images = { seconds = var.image_seconds, cache_control = "public, max-age=${var.image_seconds}" }
  }

  behaviors = concat(
    [for pattern in local.assets : { pattern = pattern, kind = "assets" }],
    [for pattern in local.images : { pattern = pattern, kind = "images" }],
  )
}

resource "aws_cloudfront_origin_access_control" "site" {
  name                              = "${var.name}-site"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

resource "aws_cloudfront_cache_policy" "site" {
  for_each = local.kinds

  name        = "${var.name}-${each.key}"
  comment     = "Edges keep ${each.key} for ${each.value.seconds} s"
  min_ttl     = 0
  default_ttl = each.value.seconds
  max_ttl     = each.value.seconds

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_brotli = true
    enable_accept_encoding_gzip   = true

    cookies_config {
      cookie_behavior = "none"
    }

    headers_config {
      header_behavior = "none"
    }

    query_strings_config {
      query_string_behavior = "none"
    }
  }
}

# Browsers are told here, so that it does not depend on how the files were uploaded.
resource "aws_cloudfront_response_headers_policy" "site" {
  for_each = local.kinds

  name = "${var.name}-${each.key}"

  custom_headers_config {
    items {
      header   = "Cache-Control"
      value    = each.value.cache_control
      override = true
    }
  }

  security_headers_config {
    strict_transport_security {
      access_control_max_age_sec = 31536000
      override                   = true
    }

    content_type_options {
      override = true
    }

    frame_options {
      frame_option = "SAMEORIGIN"
      override     = false
    }

    referrer_policy {
      referrer_policy = "strict-origin-when-cross-origin"
      override        = false
    }
  }
}

# A path without a file name is a page of the app. Error pages would do that too, but they answer an asset that is gone
# with index.html and 200, and browsers keep that for a year.
resource "aws_cloudfront_function" "single_page" {
  count = var.single_page ? 1 : 0

  name    = "${var.name}-single-page"
  runtime = "cloudfront-js-2.0"
  publish = true
  code    = file("${path.module}/single-page.js")
}

resource "aws_cloudfront_distribution" "site" {
  enabled             = true
  is_ipv6_enabled     = true
  http_version        = "http2and3"
  comment             = "${var.name} site"
  default_root_object = "index.html"
  aliases             = var.aliases
  price_class         = var.price_class

  origin {
    origin_id                = "bucket"
    domain_name              = aws_s3_bucket.site.bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.site.id
  }

  default_cache_behavior {
    target_origin_id           = "bucket"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD", "OPTIONS"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = aws_cloudfront_cache_policy.site["html"].id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.site["html"].id

    dynamic "function_association" {
      for_each = aws_cloudfront_function.single_page

      content {
        event_type   = "viewer-request"
        function_arn = function_association.value.arn
      }
    }
  }

  dynamic "ordered_cache_behavior" {
    for_each = local.behaviors

    content {
      path_pattern               = ordered_cache_behavior.value.pattern
      target_origin_id           = "bucket"
      viewer_protocol_policy     = "redirect-to-https"
      allowed_methods            = ["GET", "HEAD", "OPTIONS"]
      cached_methods             = ["GET", "HEAD"]
      compress                   = true
      cache_policy_id            = aws_cloudfront_cache_policy.site[ordered_cache_behavior.value.kind].id
      response_headers_policy_id = aws_cloudfront_response_headers_policy.site[ordered_cache_behavior.value.kind].id
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    acm_certificate_arn            = var.certificate_arn
    cloudfront_default_certificate = !local.named
    minimum_protocol_version       = local.named ? "TLSv1.2_2021" : null
    ssl_support_method             = local.named ? "sni-only" : null
  }
}
