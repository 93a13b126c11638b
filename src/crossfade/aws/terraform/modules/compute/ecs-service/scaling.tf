# More and fewer tasks: each target keeps its average near, and the one that wants most wins. The colour that rests stays at
# none: its scaling is suspended, and a deploy suspends and resumes both.

locals {
  scaled = var.scaling == null ? toset([]) : local.colours
  wanted = var.scaling == null ? {} : {
    for metric, target in {
      ECSServiceAverageCPUUtilization    = var.scaling.cpu
      ECSServiceAverageMemoryUtilization = var.scaling.memory
      ALBRequestCountPerTarget           = var.scaling.requests
    } : metric => target if target != null
  }
  called = {
    ECSServiceAverageCPUUtilization    = "cpu"
    ECSServiceAverageMemoryUtilization = "memory"
    ALBRequestCountPerTarget           = "requests"
  }
  policies = {
    for pair in setproduct(local.scaled, keys(local.wanted)) :
    "${local.called[pair[1]]}-${pair[0]}" => { colour = pair[0], metric = pair[1] }
  }
}

resource "aws_appautoscaling_target" "this" {
  for_each = local.scaled

  service_namespace  = "ecs"
  resource_id        = "service/${var.cluster_name}/${aws_ecs_service.this[each.key].name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.scaling.min
  max_capacity       = var.scaling.max

  suspended_state {
    dynamic_scaling_in_suspended  = each.key != var.first
    dynamic_scaling_out_suspended = each.key != var.first
    scheduled_scaling_suspended   = each.key != var.first
  }

  lifecycle {
    # Which colour scales is a deploy's, and within which bounds at what time.
    ignore_changes = [suspended_state, min_capacity, max_capacity]
  }
}

resource "aws_appautoscaling_policy" "this" {
  for_each = local.policies

  name               = "${var.name}-${each.key}"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[each.value.colour].service_namespace
  resource_id        = aws_appautoscaling_target.this[each.value.colour].resource_id
  scalable_dimension = aws_appautoscaling_target.this[each.value.colour].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = local.wanted[each.value.metric]
    scale_out_cooldown = var.scaling.out_after
    scale_in_cooldown  = var.scaling.in_after

    predefined_metric_specification {
      predefined_metric_type = each.value.metric
      # Requests are those of this colour's own target group; the other metrics know the service by themselves.
      resource_label = (
        each.value.metric == "ALBRequestCountPerTarget"
        ? "${var.load_balancer_suffix}/${var.target_groups[each.value.colour].suffix}"
        : null
      )
    }
  }
}
