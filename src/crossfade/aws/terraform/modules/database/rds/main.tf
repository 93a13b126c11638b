# A database of RDS: encrypted, reached from the application only, its password known to nobody.

locals {
  tls = {
    # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html
    postgres = "rds.force_ssl"
    # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/mysql-ssl-connections.html
    mysql   = "require_secure_transport"
    mariadb = "require_secure_transport"
  }[var.engine]
}

resource "aws_db_subnet_group" "this" {
  name        = var.name
  description = "Where ${var.name} stands"
  subnet_ids  = var.subnet_ids

  tags = { Name = var.name }
}

resource "aws_db_parameter_group" "this" {
  # A new family is a new group: the old one stays until the database has left it.
  name_prefix = "${var.name}-"
  family      = var.family
  description = "Settings of ${var.name}"

  parameter {
    name         = local.tls
    value        = var.force_tls ? "1" : "0"
    apply_method = "immediate"
  }

  dynamic "parameter" {
    for_each = var.parameters

    content {
      name  = parameter.key
      value = parameter.value
      # Right for both kinds: those that take effect at once, and those that wait for a restart.
      apply_method = "pending-reboot"
    }
  }

  tags = { Name = var.name }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "this" {
  identifier     = var.name
  engine         = var.engine
  engine_version = var.engine_version
  instance_class = var.instance_class
  multi_az       = var.multi_az

  db_name  = var.database_name
  username = var.username
  port     = var.port
  # RDS makes it, keeps it in Secrets Manager and changes it every week. It is in no file and in no state.
  manage_master_user_password = true

  storage_type          = "gp3"
  allocated_storage     = var.storage_gib
  max_allocated_storage = var.max_storage_gib
  storage_encrypted     = true
  kms_key_id            = var.kms_key_arn

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [var.security_group_id]
  publicly_accessible    = var.public
  parameter_group_name   = aws_db_parameter_group.this.name

  backup_retention_period    = var.backup_days
  backup_window              = var.backup_window
  maintenance_window         = var.maintenance_window
  copy_tags_to_snapshot      = true
  auto_minor_version_upgrade = true

  deletion_protection       = var.protect
  skip_final_snapshot       = !var.protect
  final_snapshot_identifier = var.protect ? "${var.name}-final" : null
  delete_automated_backups  = !var.protect

  tags = { Name = var.name }

  lifecycle {
    # It upgrades itself within its line.
    ignore_changes = [engine_version]
  }
}

resource "aws_db_instance" "replica" {
  count = var.replica_class == null ? 0 : 1

  identifier          = "${var.name}-replica"
  replicate_source_db = aws_db_instance.this.identifier
  instance_class      = var.replica_class

  storage_type      = "gp3"
  storage_encrypted = true

  vpc_security_group_ids = [var.security_group_id]
  publicly_accessible    = var.public
  parameter_group_name   = aws_db_parameter_group.this.name

  maintenance_window         = var.maintenance_window
  auto_minor_version_upgrade = true
  # What it holds is what the database holds.
  skip_final_snapshot = true

  tags = { Name = "${var.name}-replica" }
}
