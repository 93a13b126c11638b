# The way to a release before visitors see it: whoever knows the token reaches the colour that rests, on any host and path.
# Hooks that try a new release out are given the token by the deploy, which reads it where it is needed: in the rule.

locals {
  previews = { for index, preview in var.previews : preview.service => merge(preview, { priority = index + 1 }) }
}

# Drawn once: of a value that is ignored from then on, Terraform keeps the first.
resource "terraform_data" "preview_token" {
  for_each = local.previews

  input = uuid()

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_lb_listener_rule" "preview" {
  for_each = local.previews

  listener_arn = var.https ? aws_lb_listener.https[0].arn : aws_lb_listener.http[0].arn
  priority     = each.value.priority

  action {
    type = "forward"

    forward {
      target_group {
        arn    = aws_lb_target_group.this["${each.key}-blue"].arn
        weight = 0
      }

      target_group {
        arn    = aws_lb_target_group.this["${each.key}-green"].arn
        weight = 100
      }
    }
  }

  condition {
    http_header {
      http_header_name = each.value.header
      values           = [sensitive(terraform_data.preview_token[each.key].output)]
    }
  }

  tags = { Name = "${var.name}-${each.key}-preview", "crossfade:preview" = each.key }

  lifecycle {
    # Deploys say which colour is tried out.
    ignore_changes = [action]
  }
}
