# Read back otherwise: the window, and which logs are exported.
resource "aws_db_instance" "this" {
  lifecycle {
    ignore_changes = [engine_version, backup_window, enabled_cloudwatch_logs_exports]
  }
}

# Not emulated: the secret that RDS keeps its password in.
output "secret_arn" {
  value = "arn:aws:secretsmanager:us-east-1:000000000000:secret:rds-password"
}
