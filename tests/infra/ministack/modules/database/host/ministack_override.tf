# Not emulated: Data Lifecycle Manager.
resource "aws_dlm_lifecycle_policy" "backup" {
  count = 0
}
