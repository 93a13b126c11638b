mock_provider "aws" {}

variables {
  name               = "shop-prod"
  engine             = "postgres"
  engine_version     = "17"
  family             = "postgres17"
  instance_class     = "db.t4g.small"
  database_name      = "shop"
  port               = 5432
  storage_gib        = 20
  backup_window      = "18:00-19:00"
  maintenance_window = "sun:19:00-sun:20:00"
  subnet_ids         = ["subnet-1", "subnet-2"]
  security_group_id  = "sg-1"
}

run "a_protected_database" {
  module {
    source = "./modules/database/rds"
  }

  variables {
    max_storage_gib = 50
    multi_az        = true
    replica_class   = "db.t4g.micro"
    parameters      = { log_statement = "all" }

    log_retention_days = 7
  }

  assert {
    condition = (
      aws_db_instance.this.storage_encrypted && aws_db_instance.this.storage_type == "gp3" &&
      aws_db_instance.this.multi_az && aws_db_instance.this.max_allocated_storage == 50 &&
      aws_db_instance.this.backup_retention_period == 7 && !aws_db_instance.this.publicly_accessible
    )
    error_message = "Encrypted, doubled, backed up, private."
  }

  assert {
    condition     = aws_db_instance.this.manage_master_user_password && aws_db_instance.this.password == null
    error_message = "RDS makes the password and keeps it."
  }

  assert {
    condition     = aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot && can(regex("^shop-prod-final-[0-9a-f]{8}$", aws_db_instance.this.final_snapshot_identifier))
    error_message = "It is not deleted by a slip, and leaves a snapshot."
  }

  assert {
    condition = (
      aws_db_instance.this.enabled_cloudwatch_logs_exports == toset(["postgresql", "upgrade"]) &&
      { for log, one in aws_cloudwatch_log_group.this : one.name => one.retention_in_days } == {
        "/aws/rds/instance/shop-prod/postgresql" = 7
        "/aws/rds/instance/shop-prod/upgrade"    = 7
      }
    )
    error_message = "Its logs are kept as long as all others, and not for ever."
  }

  assert {
    condition     = aws_db_instance.this.performance_insights_enabled && aws_db_instance.this.performance_insights_retention_period == 7
    error_message = "What it is busy with is seen for a week, which is free."
  }

  assert {
    condition     = { for one in aws_db_parameter_group.this.parameter : one.name => "${one.value} ${one.apply_method}" } == { "rds.force_ssl" = "1 immediate", log_statement = "all pending-reboot" }
    error_message = "TLS is forced, and settings wait for a restart where they have to."
  }

  assert {
    condition     = aws_db_instance.replica[0].replicate_source_db == "shop-prod" && aws_db_instance.replica[0].instance_class == "db.t4g.micro"
    error_message = "The replica copies the database."
  }

  assert {
    condition = (
      aws_db_instance.replica[0].enabled_cloudwatch_logs_exports == aws_db_instance.this.enabled_cloudwatch_logs_exports
      && aws_cloudwatch_log_group.replica["postgresql"].name == "/aws/rds/instance/shop-prod-replica/postgresql"
    )
    error_message = "It tells what it is asked, too, where the logs of the database are kept."
  }
}

run "the_same_database_later" {
  module {
    source = "./modules/database/rds"
  }

  variables {
    multi_az = false
  }

  assert {
    condition     = aws_db_instance.this.final_snapshot_identifier == run.a_protected_database.last_snapshot
    error_message = "The name of its last snapshot stays as long as it is the same database."
  }
}

run "a_database_to_play_with" {
  module {
    source = "./modules/database/rds"
  }

  variables {
    engine         = "mysql"
    engine_version = "8.0"
    family         = "mysql8.0"
    port           = 3306
    backup_days    = 3
    protect        = false
  }

  assert {
    condition     = !aws_db_instance.this.deletion_protection && aws_db_instance.this.skip_final_snapshot && length(aws_db_instance.replica) == 0
    error_message = "What is not protected goes at once."
  }

  assert {
    condition     = !aws_db_instance.this.performance_insights_enabled && aws_db_instance.this.enabled_cloudwatch_logs_exports == toset(["error", "slowquery"])
    error_message = "The smallest classes of MySQL have no insights; its logs have names of their own."
  }

  assert {
    condition = { for parameter in aws_db_parameter_group.this.parameter : parameter.name => parameter.value } == {
      require_secure_transport = "1"
      log_output               = "FILE"
      slow_query_log           = "1"
    }
    error_message = "MySQL forces TLS by a name of its own, and writes what is slow where it is sent on from."
  }
}

run "what_rds_would_refuse" {
  command = plan

  module {
    source = "./modules/database/rds"
  }

  variables {
    engine         = "oracle"
    instance_class = "t3.micro"
    backup_days    = 36
    storage_gib    = 10
  }

  expect_failures = [var.engine, var.instance_class, var.backup_days, var.storage_gib]
}
