# More hosts when they are busy, fewer when they are quiet. Of both colours the one that serves scales: a deploy lets it,
# and the other rests.

locals {
  # With one host fewer the others are busier: they may be as quiet as leaves them below the target. At 70 % and two
  # hosts at least, a third goes below 46 %.
  quiet = var.cpu == null ? 0 : floor(var.cpu * max(var.min, 1) / (max(var.min, 1) + 1))

  # What a group's policies are called by; a single group's have no colour in their names.
  groups = merge(
    { blue = { name = aws_autoscaling_group.this.name, suffix = "" } },
    { for group in aws_autoscaling_group.green : "green" => { name = group.name, suffix = "-green" } },
  )
  colours     = toset(var.green == null ? ["blue"] : ["blue", "green"])
  by_cpu      = var.cpu == null ? toset([]) : local.colours
  by_requests = var.requests == null ? toset([]) : local.colours
}

resource "aws_autoscaling_policy" "cpu" {
  for_each = local.by_cpu

  name                      = "${var.name}-cpu${local.groups[each.key].suffix}"
  autoscaling_group_name    = local.groups[each.key].name
  policy_type               = "TargetTrackingScaling"
  estimated_instance_warmup = var.warmup

  target_tracking_configuration {
    target_value = var.cpu
    # By itself it shrinks after 15 quiet minutes, always; the alarm below does it after as many as are wanted.
    disable_scale_in = true

    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }
}

resource "aws_autoscaling_policy" "quiet" {
  for_each = local.by_cpu

  name                   = "${var.name}-quiet${local.groups[each.key].suffix}"
  autoscaling_group_name = local.groups[each.key].name
  policy_type            = "StepScaling"
  adjustment_type        = "ChangeInCapacity"

  step_adjustment {
    scaling_adjustment          = -1
    metric_interval_upper_bound = 0
  }
}

# Hosts report every five minutes.
resource "aws_cloudwatch_metric_alarm" "quiet" {
  for_each = local.by_cpu

  alarm_name          = "${var.name}-quiet${local.groups[each.key].suffix}"
  alarm_description   = "Takes a host away: CPU below ${local.quiet} % for ${var.in_after} s"
  namespace           = "AWS/EC2"
  metric_name         = "CPUUtilization"
  statistic           = "Average"
  comparison_operator = "LessThanThreshold"
  threshold           = local.quiet
  period              = 300
  evaluation_periods  = max(1, ceil(var.in_after / 300))
  dimensions          = { AutoScalingGroupName = local.groups[each.key].name }
  alarm_actions       = [aws_autoscaling_policy.quiet[each.key].arn]
}

# AWS's own metric of requests knows one target group, and would see none at all once a deploy has moved to the other.
resource "aws_autoscaling_policy" "requests" {
  for_each = local.by_requests

  name                      = "${var.name}-requests${local.groups[each.key].suffix}"
  autoscaling_group_name    = local.groups[each.key].name
  policy_type               = "TargetTrackingScaling"
  estimated_instance_warmup = var.warmup

  target_tracking_configuration {
    target_value = var.requests

    customized_metric_specification {
      dynamic "metrics" {
        for_each = { blue = var.target_group_suffixes[0], green = var.target_group_suffixes[1] }

        content {
          id          = metrics.key
          return_data = false

          metric_stat {
            stat = "Sum"

            metric {
              namespace   = "AWS/ApplicationELB"
              metric_name = "RequestCountPerTarget"

              dimensions {
                name  = "LoadBalancer"
                value = var.load_balancer_suffix
              }

              dimensions {
                name  = "TargetGroup"
                value = metrics.value
              }
            }
          }
        }
      }

      metrics {
        id          = "both"
        label       = "Requests a minute of each host"
        expression  = "FILL(blue, 0) + FILL(green, 0)"
        return_data = true
      }
    }
  }
}
