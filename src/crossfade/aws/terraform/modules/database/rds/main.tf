# A database of RDS: encrypted, reached from the application only, its password known to nobody.

locals {
  tls = {
    # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html
    postgres = "rds.force_ssl"
    # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/mysql-ssl-connections.html
    mysql   = "require_secure_transport"
    mariadb = "require_secure_transport"
  }[var.engine]

  # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html
  logs = toset(var.engine == "postgres" ? ["postgresql", "upgrade"] : ["error", "slowquery"])

  # What is slow goes into a table unless a file is wanted, and only files are sent on.
  # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.MySQL.Generallog.html
  parameters = merge(
    var.engine == "postgres" ? {} : { log_output = "FILE", slow_query_log = "1" },
    var.parameters,
  )

  # A week of it is free; the smallest classes of MySQL and MariaDB have none.
  # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_DatabaseInsights.Engines.html
  insights = {
    for class in compact([var.instance_class, var.replica_class]) :
    class => var.engine == "postgres" || !can(regex("^db\\.(t2|t3|t4g)\\.(micro|small)$", class))
  }
}

# RDS would make them itself, and keep what they hold for ever.
resource "aws_cloudwatch_log_group" "this" {
  for_each = local.logs

  name              = "/aws/rds/instance/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_log_group" "replica" {
  for_each = var.replica_class == null ? toset([]) : local.logs

  name              = "/aws/rds/instance/${var.name}-replica/${each.key}"
  retention_in_days = var.log_retention_days
}

# The last snapshot of a database that is made again under the same name must not meet the one before it. Drawn anew
# with whatever makes the database another one.
resource "terraform_data" "last_snapshot" {
  input            = substr(uuid(), 0, 8)
  triggers_replace = [var.name, var.engine, var.database_name, var.username, var.kms_key_arn]

  lifecycle {
    ignore_changes = [input]
  }
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
    for_each = local.parameters

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

  enabled_cloudwatch_logs_exports       = local.logs
  performance_insights_enabled          = local.insights[var.instance_class]
  performance_insights_retention_period = local.insights[var.instance_class] ? 7 : null

  deletion_protection       = var.protect
  skip_final_snapshot       = !var.protect
  final_snapshot_identifier = var.protect ? "${var.name}-final-${terraform_data.last_snapshot.output}" : null
  delete_automated_backups  = !var.protect

  tags = { Name = var.name }

  lifecycle {
    # It upgrades itself within its line.
    ignore_changes = [engine_version]
  }

  depends_on = [aws_cloudwatch_log_group.this]
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
  copy_tags_to_snapshot      = true

  enabled_cloudwatch_logs_exports       = local.logs
  performance_insights_enabled          = local.insights[var.replica_class]
  performance_insights_retention_period = local.insights[var.replica_class] ? 7 : null

  # What it holds is what the database holds.
  skip_final_snapshot = true

  tags = { Name = "${var.name}-replica" }

  depends_on = [aws_cloudwatch_log_group.replica]
}
