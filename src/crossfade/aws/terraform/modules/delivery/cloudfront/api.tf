# The load balancer at the edge: nothing is kept, everything is passed on, connections begin close to the visitor.
# CloudFront closes a WebSocket on which nothing moves for 10 minutes.

locals {
  api = var.api == null ? [] : [var.api]
}

resource "aws_cloudfront_cache_policy" "api" {
  count = length(local.api)

  name        = "${var.name}-api"
  comment     = "Keeps nothing"
  min_ttl     = 0
  default_ttl = 0
  max_ttl     = 0

  parameters_in_cache_key_and_forwarded_to_origin {
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

resource "aws_cloudfront_origin_request_policy" "api" {
  count = length(local.api)

  name    = "${var.name}-api"
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

resource "aws_cloudfront_distribution" "api" {
  count = length(local.api)

  enabled         = true
  is_ipv6_enabled = true
  http_version    = "http2and3"
  comment         = "${var.name} api"
  aliases         = local.api[count.index].aliases
  price_class     = var.price_class

  origin {
    origin_id   = "load-balancer"
    domain_name = local.api[count.index].dns_name

    custom_origin_config {
      http_port              = 80
      https_port             = 443
      origin_protocol_policy = local.api[count.index].https ? "https-only" : "http-only"
      origin_ssl_protocols   = ["TLSv1.2"]
      origin_read_timeout    = 60
    }
  }

  default_cache_behavior {
    target_origin_id         = "load-balancer"
    viewer_protocol_policy   = "redirect-to-https"
    allowed_methods          = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
    cached_methods           = ["GET", "HEAD"]
    compress                 = true
    cache_policy_id          = aws_cloudfront_cache_policy.api[count.index].id
    origin_request_policy_id = aws_cloudfront_origin_request_policy.api[count.index].id
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    acm_certificate_arn            = var.certificate_arn
    cloudfront_default_certificate = length(local.api[count.index].aliases) == 0
    minimum_protocol_version       = length(local.api[count.index].aliases) == 0 ? null : "TLSv1.2_2021"
    ssl_support_method             = length(local.api[count.index].aliases) == 0 ? null : "sni-only"
  }
}
