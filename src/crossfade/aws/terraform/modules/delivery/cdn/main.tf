# The load balancer at the edge, and a bucket's files beside it: connections begin close to the visitor, and what may be
# kept is answered there. CloudFront closes a WebSocket on which nothing moves for 10 minutes.

locals {
  named = length(var.aliases) > 0 # and not whether there is a certificate, which a plan does not know yet

  passed_on = merge({ services = var.keep }, length(var.never) > 0 ? { never = 0 } : {}) # seconds
  # CloudFront asks patterns in this order; a path that is never kept goes before files that a wider pattern names.
  behaviors = concat(
    [for path in var.never : { path = path, origin = "load-balancer", kept = 0 }],
    [for path in sort(keys(var.files)) : { path = path, origin = "bucket", kept = var.files[path] }],
  )
  methods = {
    bucket        = ["GET", "HEAD", "OPTIONS"]
    load-balancer = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
  }
}

# Of answers that are kept, each visitor's cookies, credentials and query have one of their own.
resource "aws_cloudfront_cache_policy" "passed_on" {
  for_each = local.passed_on

  name        = "${var.name}-${each.key}"
  comment     = each.value == 0 ? "Keeps nothing" : "Keeps for ${each.value} s what does not say for how long"
  min_ttl     = 0
  default_ttl = each.value
  max_ttl     = each.value == 0 ? 0 : 31536000

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_brotli = each.value > 0
    enable_accept_encoding_gzip   = each.value > 0

    cookies_config {
      cookie_behavior = each.value == 0 ? "none" : "all"
    }

    headers_config {
      header_behavior = each.value == 0 ? "none" : "whitelist"

      dynamic "headers" {
        for_each = each.value == 0 ? [] : ["Authorization"]

        content {
          items = [headers.value]
        }
      }
    }

    query_strings_config {
      query_string_behavior = each.value == 0 ? "none" : "all"
    }
  }
}

resource "aws_cloudfront_cache_policy" "files" {
  for_each = toset([for seconds in values(var.files) : tostring(seconds)])

  name        = "${var.name}-files-${each.value}"
  comment     = "Edges keep files for ${each.value} s"
  min_ttl     = 0
  default_ttl = tonumber(each.value)
  max_ttl     = tonumber(each.value)

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

resource "aws_cloudfront_origin_request_policy" "services" {
  name    = "${var.name}-services"
  comment = "Passes everything on, the Host included, which the load balancer's certificate is for"

  cookies_config {
    cookie_behavior = "all"
  }

  headers_config {
    header_behavior = "allViewer"
  }

  query_strings_config {
    query_string_behavior = "all"
  }
}

resource "aws_cloudfront_origin_access_control" "files" {
  count = length(var.files) > 0 ? 1 : 0

  name                              = "${var.name}-files"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

resource "aws_cloudfront_distribution" "this" {
  enabled         = true
  is_ipv6_enabled = true
  http_version    = "http2and3"
  comment         = "${var.name} services"
  aliases         = var.aliases
  price_class     = var.price_class

  origin {
    origin_id   = "load-balancer"
    domain_name = var.balancer

    custom_origin_config {
      http_port              = 80
      https_port             = 443
      origin_protocol_policy = var.https ? "https-only" : "http-only"
      origin_ssl_protocols   = ["TLSv1.2"]
      origin_read_timeout    = 60
    }
  }

  dynamic "origin" {
    for_each = aws_cloudfront_origin_access_control.files

    content {
      origin_id                = "bucket"
      domain_name              = var.bucket
      origin_access_control_id = origin.value.id
    }
  }

  default_cache_behavior {
    target_origin_id         = "load-balancer"
    viewer_protocol_policy   = "redirect-to-https"
    allowed_methods          = local.methods["load-balancer"]
    cached_methods           = ["GET", "HEAD"]
    compress                 = true
    cache_policy_id          = aws_cloudfront_cache_policy.passed_on["services"].id
    origin_request_policy_id = aws_cloudfront_origin_request_policy.services.id
  }

  dynamic "ordered_cache_behavior" {
    for_each = local.behaviors

    content {
      path_pattern           = ordered_cache_behavior.value.path
      target_origin_id       = ordered_cache_behavior.value.origin
      viewer_protocol_policy = "redirect-to-https"
      allowed_methods        = local.methods[ordered_cache_behavior.value.origin]
      cached_methods         = ["GET", "HEAD"]
      compress               = true
      cache_policy_id = (
        ordered_cache_behavior.value.origin == "bucket"
        ? aws_cloudfront_cache_policy.files[tostring(ordered_cache_behavior.value.kept)].id
        : aws_cloudfront_cache_policy.passed_on["never"].id
      )
      origin_request_policy_id = ordered_cache_behavior.value.origin == "bucket" ? null : aws_cloudfront_origin_request_policy.services.id
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
