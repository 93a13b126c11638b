# Backups and a second region.

resource "aws_backup_vault" "loose" { # CF-DAT-023, CF-DAT-024
  name          = "loose"
  force_destroy = true
}

resource "aws_backup_vault" "locked" {
  name = "locked"
}

resource "aws_backup_vault_lock_configuration" "locked" {
  backup_vault_name  = aws_backup_vault.locked.name
  min_retention_days = 7
}

resource "aws_backup_vault_policy" "open" { # CF-SEC-009
  backup_vault_name = aws_backup_vault.loose.name
  policy            = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = "*", Action = "backup:CopyIntoBackupVault", Resource = "*" }] })
}

resource "aws_backup_vault_policy" "keeps" { # it forbids, and gives nobody anything
  backup_vault_name = aws_backup_vault.locked.name
  policy            = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Deny", Principal = "*", Action = "backup:DeleteRecoveryPoint", Resource = "*" }] })
}

resource "aws_backup_plan" "nothing" { # CF-DAT-022
  name = "nothing"
  rule {
    rule_name         = "daily"
    target_vault_name = aws_backup_vault.locked.name
    schedule          = "cron(0 5 * * ? *)"
  }
}

resource "aws_backup_plan" "daily" {
  name = "daily"
  rule {
    rule_name         = "daily"
    target_vault_name = aws_backup_vault.locked.name
    schedule          = "cron(0 5 * * ? *)"
    lifecycle { delete_after = 35 }
  }
}

resource "aws_backup_selection" "daily" {
  plan_id      = aws_backup_plan.daily.id
  name         = "all"
  iam_role_arn = "arn:aws:iam::123456789012:role/backup"
  selection_tag {
    type  = "STRINGEQUALS"
    key   = "Backup"
    value = "daily"
  }
}

resource "aws_dlm_lifecycle_policy" "off" { # CF-DAT-022
  description        = "off"
  execution_role_arn = "arn:aws:iam::123456789012:role/dlm"
  state              = "DISABLED"
  policy_details {
    resource_types = ["VOLUME"]
    target_tags    = { Snapshot = "true" }
    schedule {
      name = "daily"
      create_rule { interval = 24 }
      retain_rule { count = 14 }
    }
  }
}

resource "aws_dlm_lifecycle_policy" "on" {
  description        = "on"
  execution_role_arn = "arn:aws:iam::123456789012:role/dlm"
  policy_details {
    resource_types = ["VOLUME"]
    target_tags    = { Snapshot = "true" }
    schedule {
      name = "daily"
      create_rule { interval = 24 }
      retain_rule { count = 14 }
    }
  }
}

resource "aws_fsx_windows_file_system" "unsaved" { # CF-DAT-022
  storage_capacity                = 32
  subnet_ids                      = ["subnet-0123456789abcdef0"]
  throughput_capacity             = 8
  active_directory_id             = "d-0123456789"
  automatic_backup_retention_days = 0
}

resource "aws_fsx_windows_file_system" "saved" {
  storage_capacity    = 32
  subnet_ids          = ["subnet-0123456789abcdef0"]
  throughput_capacity = 8
  active_directory_id = "d-0123456789"
}

resource "aws_rds_global_cluster" "plain" { # CF-DAT-002
  global_cluster_identifier = "plain"
  engine                    = "aurora-postgresql"
  engine_version            = "17.4"
}

resource "aws_rds_global_cluster" "sealed" {
  global_cluster_identifier = "sealed"
  engine                    = "aurora-postgresql"
  engine_version            = "17.4"
  storage_encrypted         = true
}

resource "aws_db_snapshot" "shared" { # CF-SEC-009
  db_instance_identifier = "main"
  db_snapshot_identifier = "main-shared"
  shared_accounts        = ["all"]
}

resource "aws_db_snapshot" "partner" {
  db_instance_identifier = "main"
  db_snapshot_identifier = "main-partner"
  shared_accounts        = ["222233334444"]
}

resource "aws_ebs_snapshot_copy" "plain" { # CF-DAT-013
  source_snapshot_id = "snap-0123456789abcdef0"
  source_region      = "us-west-2"
}

resource "aws_ebs_snapshot_copy" "sealed" {
  source_snapshot_id = "snap-0123456789abcdef0"
  source_region      = "us-west-2"
  encrypted          = true
}

resource "aws_secretsmanager_secret" "at_once" { # CF-DAT-024, CF-SEC-002
  name                    = "at-once"
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret" "kept" { # CF-SEC-002
  name = "kept"
}

resource "aws_secretsmanager_secret_version" "kept" { # CF-SEC-021
  secret_id     = aws_secretsmanager_secret.kept.id
  secret_string = var.outside
}

resource "aws_db_instance" "passed" { # CF-SEC-021
  identifier                      = "passed"
  engine                          = "postgres"
  engine_version                  = "17.4"
  instance_class                  = "db.t4g.micro"
  allocated_storage               = 20
  username                        = "app"
  password                        = var.outside
  storage_encrypted               = true
  multi_az                        = true
  deletion_protection             = true
  backup_retention_period         = 14
  final_snapshot_identifier       = "passed-last"
  enabled_cloudwatch_logs_exports = ["postgresql"]
}

resource "aws_db_instance" "managed" {
  identifier                      = "managed"
  engine                          = "postgres"
  engine_version                  = "17.4"
  instance_class                  = "db.t4g.micro"
  allocated_storage               = 20
  username                        = "app"
  manage_master_user_password     = true
  storage_encrypted               = true
  multi_az                        = true
  deletion_protection             = true
  backup_retention_period         = 14
  final_snapshot_identifier       = "managed-last"
  enabled_cloudwatch_logs_exports = ["postgresql"]
}

resource "aws_docdb_cluster" "quiet" { # CF-OBS-009
  cluster_identifier          = "quiet"
  master_username             = "app"
  manage_master_user_password = true
  storage_encrypted           = true
  deletion_protection         = true
  backup_retention_period     = 14
  final_snapshot_identifier   = "quiet-last"
}

resource "aws_neptune_cluster" "heard" {
  cluster_identifier             = "heard"
  storage_encrypted              = true
  deletion_protection            = true
  backup_retention_period        = 14
  final_snapshot_identifier      = "heard-last"
  enable_cloudwatch_logs_exports = ["audit"]
}
