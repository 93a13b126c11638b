mock_provider "aws" {
  mock_resource "aws_cloudfront_distribution" {
    defaults = { arn = "arn:aws:cloudfront::123456789012:distribution/E1", hosted_zone_id = "Z2FDTNDATAQYW2" }
  }
}

variables {
  name            = "codemate-prod"
  balancer        = "codemate.elb.amazonaws.com"
  https           = true
  aliases         = ["codemate.code1398.io"]
  certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1"
}

run "stands_in_front_of_the_load_balancer" {
  module {
    source = "./modules/delivery/cdn"
  }

  assert {
    condition = (
      one(aws_cloudfront_distribution.this.origin).domain_name == "codemate.elb.amazonaws.com"
      && one(one(aws_cloudfront_distribution.this.origin).custom_origin_config).origin_protocol_policy == "https-only"
      && aws_cloudfront_distribution.this.aliases == toset(["codemate.code1398.io"])
      && aws_cloudfront_distribution.this.price_class == "PriceClass_200"
    )
    error_message = "It asks the load balancer, by HTTPS."
  }

  assert {
    condition = (
      aws_cloudfront_cache_policy.passed_on["services"].max_ttl == 0
      && one(aws_cloudfront_origin_request_policy.services.headers_config).header_behavior == "allViewer"
      && contains(one(aws_cloudfront_distribution.this.default_cache_behavior).allowed_methods, "POST")
    )
    error_message = "It keeps nothing and passes everything on."
  }
}

run "keeps_what_may_be_kept" {
  module {
    source = "./modules/delivery/cdn"
  }

  variables {
    keep   = 86400
    never  = ["/api/*", "/socket.io/*"]
    bucket = "codemate-prod-static.s3.ap-northeast-2.amazonaws.com"
    files  = { "/_next/static/*" = 31536000 }
  }

  assert {
    condition = [
      for one in aws_cloudfront_distribution.this.ordered_cache_behavior : "${one.path_pattern} ${one.target_origin_id}"
    ] == ["/api/* load-balancer", "/socket.io/* load-balancer", "/_next/static/* bucket"]
    error_message = "What is never kept goes before files, and these come from the bucket."
  }

  assert {
    condition = (
      aws_cloudfront_cache_policy.passed_on["services"].default_ttl == 86400
      && aws_cloudfront_cache_policy.passed_on["never"].max_ttl == 0
      && aws_cloudfront_cache_policy.files["31536000"].default_ttl == 31536000
    )
    error_message = "The API is never kept, files for a year, the rest for a day."
  }

  assert {
    condition = (
      one(one(aws_cloudfront_cache_policy.passed_on["services"].parameters_in_cache_key_and_forwarded_to_origin).cookies_config).cookie_behavior == "all"
      && one(one(one(aws_cloudfront_cache_policy.passed_on["services"].parameters_in_cache_key_and_forwarded_to_origin).headers_config).headers).items == toset(["Authorization"])
    )
    error_message = "What is kept of one visitor is given to no other."
  }

  assert {
    condition = anytrue([
      for origin in aws_cloudfront_distribution.this.origin :
      origin.domain_name == "codemate-prod-static.s3.ap-northeast-2.amazonaws.com" && origin.origin_access_control_id == aws_cloudfront_origin_access_control.files[0].id
    ])
    error_message = "The bucket is asked as this distribution."
  }
}
