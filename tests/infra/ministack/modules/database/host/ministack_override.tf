# Not emulated: Data Lifecycle Manager.
resource "aws_dlm_lifecycle_policy" "backup" {
  count = 0
}

# Read back otherwise: where it stands.
resource "aws_instance" "this" {
  lifecycle {
    ignore_changes = [launch_template, subnet_id, vpc_security_group_ids]
  }
}
