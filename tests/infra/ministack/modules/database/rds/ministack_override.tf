# Read back otherwise: the window, and which logs are exported.
resource "aws_db_instance" "this" {
  lifecycle {
    ignore_changes = [engine_version, backup_window, enabled_cloudwatch_logs_exports]
  }
}
