# Not emulated: DescribePolicies by name, so that a second policy of a group cannot be read back.
resource "aws_autoscaling_policy" "quiet" {
  for_each = toset([])
}

resource "aws_cloudwatch_metric_alarm" "quiet" {
  for_each = toset([])
}

# Read back otherwise: the warmup, the target group, and a card's end.
resource "aws_autoscaling_group" "this" {
  lifecycle {
    ignore_changes = [default_instance_warmup, desired_capacity, target_group_arns]
  }
}

resource "aws_autoscaling_group" "green" {
  lifecycle {
    ignore_changes = [default_instance_warmup, desired_capacity, target_group_arns]
  }
}

resource "aws_launch_template" "this" {
  lifecycle {
    ignore_changes = [user_data, network_interfaces]
  }
}
