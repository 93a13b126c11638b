# Not emulated: Application Auto Scaling.
resource "aws_appautoscaling_target" "this" {
  count = 0
}

resource "aws_appautoscaling_policy" "average" {
  for_each = {}
}

resource "aws_appautoscaling_policy" "requests" {
  count = 0
}

# Read back otherwise: availability_zone_rebalancing.
resource "aws_ecs_service" "this" {
  lifecycle {
    ignore_changes = [task_definition, load_balancer, desired_count, availability_zone_rebalancing]
  }
}
