# More and fewer tasks: each target keeps its average near, and the one that wants most wins.

locals {
  scales = var.scaling != null
  targets = var.scaling == null ? {} : {
    for metric, target in {
      ECSServiceAverageCPUUtilization    = var.scaling.cpu
      ECSServiceAverageMemoryUtilization = var.scaling.memory
    } : metric => target if target != null
  }
  requests = local.scales ? var.scaling.requests : null
}

resource "aws_appautoscaling_target" "this" {
  count = local.scales ? 1 : 0

  service_namespace  = "ecs"
  resource_id        = "service/${var.cluster_name}/${aws_ecs_service.this.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.scaling.min
  max_capacity       = var.scaling.max
}

resource "aws_appautoscaling_policy" "average" {
  for_each = local.targets

  name               = "${var.name}-${each.key == "ECSServiceAverageCPUUtilization" ? "cpu" : "memory"}"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[0].service_namespace
  resource_id        = aws_appautoscaling_target.this[0].resource_id
  scalable_dimension = aws_appautoscaling_target.this[0].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = each.value
    scale_out_cooldown = var.scaling.out_after
    scale_in_cooldown  = var.scaling.in_after

    predefined_metric_specification {
      predefined_metric_type = each.key
    }
  }
}

# AWS's own metric of requests knows one target group, and would see none at all once a deploy has moved to the other.
resource "aws_appautoscaling_policy" "requests" {
  count = local.requests == null ? 0 : 1

  name               = "${var.name}-requests"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[0].service_namespace
  resource_id        = aws_appautoscaling_target.this[0].resource_id
  scalable_dimension = aws_appautoscaling_target.this[0].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = local.requests
    scale_out_cooldown = var.scaling.out_after
    scale_in_cooldown  = var.scaling.in_after

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
        label       = "Requests a minute of each task"
        expression  = "FILL(blue, 0) + FILL(green, 0)"
        return_data = true
      }
    }
  }
}
