mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/shop/1", arn_suffix = "app/shop/1" }
  }

  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/shop/1" }
  }

  mock_resource "aws_lb_listener" {
    defaults = { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/shop/1/2" }
  }
}

variables {
  name              = "shop-prod"
  vpc_id            = "vpc-1"
  subnet_ids        = ["subnet-1", "subnet-2"]
  security_group_id = "sg-1"
  certificate_arn   = "arn:aws:acm:us-east-1:123456789012:certificate/1"
  idle_timeout      = 3600
  default_service   = "web"
  services = {
    web = {
      port       = 3000
      drain      = 600
      health     = { path = "/health", interval = 30, timeout = 5, healthy = 2, unhealthy = 3, codes = "200" }
      stickiness = { type = "app_cookie", seconds = 86400, cookie = "sessionid" }
    }
    api = {
      port   = 3001
      health = { path = "/api/health", interval = 10, timeout = 2, healthy = 3, unhealthy = 2, codes = "200-299" }
    }
  }
  previews = [{ service = "web", header = "X-Crossfade-Preview" }, { service = "api", header = "X-Try" }]
  rules    = [{ service = "api", hosts = ["api.example.com"], paths = ["/api", "/api/*"] }]
}

run "two_colours_of_each_service_behind_https" {
  module {
    source = "./modules/networking/alb"
  }

  assert {
    condition     = [for group in aws_lb_target_group.this : group.name] == ["shop-prod-api-blue", "shop-prod-api-green", "shop-prod-web-blue", "shop-prod-web-green"]
    error_message = "Each service has a blue and a green target group."
  }

  assert {
    condition     = aws_lb_listener.https[0].ssl_policy == "ELBSecurityPolicy-TLS13-1-2-2021-06" && aws_lb_listener.https[0].port == 443
    error_message = "HTTPS is TLS 1.2 or newer."
  }

  assert {
    condition     = aws_lb_listener.redirect[0].default_action[0].redirect[0].status_code == "HTTP_301" && length(aws_lb_listener.http) == 0
    error_message = "HTTP only leads to HTTPS."
  }

  assert {
    condition     = { for group in aws_lb_listener.https[0].default_action[0].forward[0].target_group : group.weight => true } == { 0 = true, 100 = true }
    error_message = "All requests begin at one colour."
  }

  assert {
    condition = (
      aws_lb_target_group.this["web-green"].deregistration_delay == "600" &&
      aws_lb_target_group.this["web-green"].health_check[0].path == "/health" &&
      aws_lb_target_group.this["web-green"].health_check[0].interval == 30 &&
      aws_lb_target_group.this["web-green"].health_check[0].timeout == 5 &&
      aws_lb_target_group.this["web-green"].health_check[0].healthy_threshold == 2 &&
      aws_lb_target_group.this["web-green"].health_check[0].unhealthy_threshold == 3 &&
      aws_lb_target_group.this["api-blue"].health_check[0].matcher == "200-299"
    )
    error_message = "Both colours are asked as the service says."
  }

  assert {
    condition     = aws_lb_target_group.this["web-blue"].stickiness[0].cookie_name == "sessionid" && aws_lb_target_group.this["web-blue"].stickiness[0].cookie_duration == 86400
    error_message = "Visitors stay by the application's own cookie."
  }

  assert {
    condition     = aws_lb.this.idle_timeout == 3600 && aws_lb.this.drop_invalid_header_fields && !aws_lb.this.internal
    error_message = "WebSockets may be silent for an hour."
  }

  assert {
    condition     = aws_lb_listener_rule.this["api-0"].priority == 100 && aws_lb_listener_rule.this["api-0"].listener_arn == aws_lb_listener.https[0].arn
    error_message = "Rules are on the listener that visitors reach."
  }
}

run "a_way_to_try_a_release_out" {
  module {
    source = "./modules/networking/alb"
  }

  assert {
    condition = { for name, rule in aws_lb_listener_rule.preview : name => [rule.priority, one(one(rule.condition).http_header).http_header_name, rule.tags["crossfade:preview"]] } == {
      web = [1, "X-Crossfade-Preview", "web"]
      api = [2, "X-Try", "api"]
    }
    error_message = "Each service's header is asked for before any other rule."
  }

  assert {
    condition = (
      length(toset([for one in terraform_data.preview_token : one.output])) == 2 &&
      alltrue([for name, rule in aws_lb_listener_rule.preview : one(one(one(rule.condition).http_header).values) == terraform_data.preview_token[name].output]) &&
      alltrue([for one in terraform_data.preview_token : length(one.output) == 36])
    )
    error_message = "Each has a token of its own that nobody can guess."
  }

  assert {
    condition     = { for one in one(aws_lb_listener_rule.preview["web"].action).forward[0].target_group : one.weight => one.arn } == { 0 = aws_lb_target_group.this["web-blue"].arn, 100 = aws_lb_target_group.this["web-green"].arn }
    error_message = "It leads to the colour that rests."
  }

  assert {
    condition = (
      aws_lb_target_group.this["web-green"].tags["crossfade:service"] == "web" && aws_lb_target_group.this["web-green"].tags["crossfade:colour"] == "green" &&
      aws_lb_listener.https[0].tags["crossfade:service"] == "web" && aws_lb_listener_rule.this["api-0"].tags["crossfade:service"] == "api"
    )
    error_message = "A deploy finds what is its own by tags."
  }
}

run "a_rule_that_comes_in_between" {
  module {
    source = "./modules/networking/alb"
  }

  variables {
    rules = [
      { service = "web", paths = ["/api/pages"] },
      { service = "api", hosts = ["api.example.com"], paths = ["/api", "/api/*"] },
    ]
  }

  assert {
    condition = (
      aws_lb_listener_rule.this["api-0"].priority == 110 && aws_lb_listener_rule.this["web-0"].priority == 100 &&
      aws_lb_listener_rule.this["api-0"].id == run.two_colours_of_each_service_behind_https.rule_ids["api-0"]
    )
    error_message = "Rules keep their service, and with it where a deploy has moved them."
  }
}

run "http_alone" {
  command = plan

  module {
    source = "./modules/networking/alb"
  }

  variables {
    https           = false
    certificate_arn = null
    default_service = null
    access_logs     = true
  }

  assert {
    condition     = length(aws_lb_listener.https) == 0 && aws_lb_listener.http[0].default_action[0].fixed_response[0].status_code == "404"
    error_message = "What no rule is for is answered with 404."
  }

  assert {
    condition     = aws_s3_bucket_public_access_block.logs[0].restrict_public_buckets && aws_s3_bucket_lifecycle_configuration.logs[0].rule[0].expiration[0].days == 90
    error_message = "Records of requests are private, and go."
  }
}

run "what_aws_would_refuse_is_refused" {
  command = plan

  module {
    source = "./modules/networking/alb"
  }

  variables {
    idle_timeout = 4001
    rules        = [{ service = "web", paths = ["/1", "/2", "/3", "/4", "/5", "/6"] }]
    algorithm    = "random"
  }

  expect_failures = [var.idle_timeout, var.rules, var.algorithm]
}
