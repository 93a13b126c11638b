# Not emulated: Application Auto Scaling.
resource "aws_appautoscaling_target" "this" {
  for_each = {}
}

resource "aws_appautoscaling_policy" "this" {
  for_each = {}
}

# Read back otherwise: availability_zone_rebalancing.
resource "aws_ecs_service" "this" {
  lifecycle {
    ignore_changes = [task_definition, desired_count, availability_zone_rebalancing]
  }
}
