# Read back otherwise: the window.
resource "aws_db_instance" "this" {
  lifecycle {
    ignore_changes = [engine_version, backup_window]
  }
}
