# The load balancer. Every service has two target groups, blue and green: a deploy fills the idle one and then moves the
# weights. Terraform makes both, and leaves the weights to deploys, which find what is theirs by its tags.

locals {
  targets = merge([
    for name, service in var.services : {
      for colour in ["blue", "green"] : "${name}-${colour}" => {
        service = service
        name    = "${var.name}-${name}-${colour}"
        tags    = { "crossfade:service" = name, "crossfade:colour" = colour }
      }
    }
  ]...)
  # Counted by service: when a rule comes in between, each keeps its target groups, which deploys have moved since, and
  # only its priority changes. The first hundred are those of previews.
  rules = {
    for index, rule in var.rules :
    "${rule.service}-${length([for before in slice(var.rules, 0, index) : before if before.service == rule.service])}" =>
    merge(rule, { priority = 100 + 10 * index })
  }
  default_tags = var.default_service == null ? {} : { "crossfade:service" = var.default_service }
}

resource "aws_lb" "this" {
  name               = var.name
  load_balancer_type = "application"
  internal           = false
  subnets            = var.subnet_ids
  security_groups    = [var.security_group_id]
  idle_timeout       = var.idle_timeout

  enable_deletion_protection = var.deletion_protection
  # Headers that no server reads alike are how requests are smuggled past one.
  drop_invalid_header_fields = true

  dynamic "access_logs" {
    for_each = aws_s3_bucket.logs

    content {
      bucket  = access_logs.value.id
      enabled = true
    }
  }

  tags = { Name = var.name }

  depends_on = [aws_s3_bucket_policy.logs]
}

resource "aws_lb_target_group" "this" {
  for_each = local.targets

  name        = each.value.name
  vpc_id      = var.vpc_id
  port        = each.value.service.port
  protocol    = "HTTP"
  target_type = each.value.service.target_type

  deregistration_delay          = each.value.service.drain
  load_balancing_algorithm_type = var.algorithm

  health_check {
    path                = each.value.service.health.path
    port                = "traffic-port"
    protocol            = "HTTP"
    interval            = each.value.service.health.interval
    timeout             = each.value.service.health.timeout
    healthy_threshold   = each.value.service.health.healthy
    unhealthy_threshold = each.value.service.health.unhealthy
    matcher             = each.value.service.health.codes
  }

  dynamic "stickiness" {
    for_each = each.value.service.stickiness[*]

    content {
      enabled         = true
      type            = stickiness.value.type
      cookie_duration = stickiness.value.seconds
      cookie_name     = stickiness.value.type == "app_cookie" ? stickiness.value.cookie : null
    }
  }

  tags = merge({ Name = each.value.name }, each.value.tags)
}

# Another default service is another listener, because of this one the weights are a deploy's. For a moment nobody listens.
resource "terraform_data" "default_service" {
  input = coalesce(var.default_service, "nobody")
}

# With HTTPS, port 80 only sends visitors there.
resource "aws_lb_listener" "redirect" {
  count = var.https ? 1 : 0

  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_lb_listener" "http" {
  count = var.https ? 0 : 1

  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  dynamic "default_action" {
    for_each = var.default_service[*]

    content {
      type = "forward"

      forward {
        target_group {
          arn    = aws_lb_target_group.this["${default_action.value}-blue"].arn
          weight = 100
        }

        target_group {
          arn    = aws_lb_target_group.this["${default_action.value}-green"].arn
          weight = 0
        }
      }
    }
  }

  dynamic "default_action" {
    for_each = var.default_service == null ? ["nothing here"] : []

    content {
      type = "fixed-response"

      fixed_response {
        content_type = "text/plain"
        message_body = "Not found"
        status_code  = "404"
      }
    }
  }

  tags = local.default_tags

  lifecycle {
    # Deploys move the weights.
    ignore_changes       = [default_action]
    replace_triggered_by = [terraform_data.default_service]
  }
}

resource "aws_lb_listener" "https" {
  count = var.https ? 1 : 0

  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = var.tls_policy
  certificate_arn   = var.certificate_arn

  dynamic "default_action" {
    for_each = var.default_service[*]

    content {
      type = "forward"

      forward {
        target_group {
          arn    = aws_lb_target_group.this["${default_action.value}-blue"].arn
          weight = 100
        }

        target_group {
          arn    = aws_lb_target_group.this["${default_action.value}-green"].arn
          weight = 0
        }
      }
    }
  }

  dynamic "default_action" {
    for_each = var.default_service == null ? ["nothing here"] : []

    content {
      type = "fixed-response"

      fixed_response {
        content_type = "text/plain"
        message_body = "Not found"
        status_code  = "404"
      }
    }
  }

  tags = local.default_tags

  lifecycle {
    # Deploys move the weights.
    ignore_changes       = [default_action]
    replace_triggered_by = [terraform_data.default_service]
  }
}

resource "aws_lb_listener_rule" "this" {
  for_each = local.rules

  listener_arn = var.https ? aws_lb_listener.https[0].arn : aws_lb_listener.http[0].arn
  priority     = each.value.priority

  action {
    type = "forward"

    forward {
      target_group {
        arn    = aws_lb_target_group.this["${each.value.service}-blue"].arn
        weight = 100
      }

      target_group {
        arn    = aws_lb_target_group.this["${each.value.service}-green"].arn
        weight = 0
      }
    }
  }

  dynamic "condition" {
    for_each = length(each.value.hosts) > 0 ? [each.value.hosts] : []

    content {
      host_header {
        values = condition.value
      }
    }
  }

  dynamic "condition" {
    for_each = length(each.value.paths) > 0 ? [each.value.paths] : []

    content {
      path_pattern {
        values = condition.value
      }
    }
  }

  tags = { Name = "${var.name}-${each.value.service}", "crossfade:service" = each.value.service }

  lifecycle {
    # Deploys move the weights.
    ignore_changes = [action]
  }
}
