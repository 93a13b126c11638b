mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0", latest_version = 1 }
  }

  mock_resource "aws_ebs_volume" {
    defaults = { id = "vol-0123456789abcdef0", arn = "arn:aws:ec2:us-east-1:123456789012:volume/vol-0123456789abcdef0" }
  }

  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop-prod-database/password" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/shop-prod-database" }
  }
}

variables {
  name              = "shop-prod-database"
  region            = "us-east-1"
  engine            = "mysql"
  engine_version    = "8.0"
  database_name     = "shop"
  port              = 3306
  instance_type     = "t3.small"
  storage_gib       = 20
  zone              = "us-east-1a"
  subnet_id         = "subnet-1"
  security_group_id = "sg-1"
  backup_time       = "18:00"
}

run "data_that_outlives_its_host" {
  module {
    source = "./modules/database/host"
  }

  assert {
    condition     = aws_ebs_volume.data.encrypted && aws_ebs_volume.data.final_snapshot && aws_ebs_volume.data.size == 20 && aws_ebs_volume.data.availability_zone == "us-east-1a"
    error_message = "The volume is encrypted and leaves a snapshot behind."
  }

  assert {
    condition     = aws_volume_attachment.data.volume_id == aws_ebs_volume.data.id && aws_volume_attachment.data.instance_id == aws_instance.this.id
    error_message = "The volume is the host's, and not a part of it."
  }

  assert {
    condition = alltrue([
      for line in [
        "nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0", "blkid \"$disk\" || mkfs.xfs", "--require-secure-transport=ON",
        "export MYSQL_PASSWORD=\"$password\"", "public.ecr.aws/docker/library/mysql:8.0", "--publish 3306:3306",
      ] : strcontains(base64decode(aws_launch_template.this.user_data), line)
    ])
    error_message = "It finds its volume, formats it once, and refuses connections without TLS."
  }

  assert {
    condition     = contains(one(data.aws_iam_policy_document.backup_trust[0].statement[0].condition).values, "123456789012")
    error_message = "Snapshots are taken for this account alone."
  }

  assert {
    condition     = aws_launch_template.this.metadata_options[0].http_tokens == "required" && aws_instance.this.associate_public_ip_address == false
    error_message = "IMDSv2, and no public address."
  }

  assert {
    condition     = aws_dlm_lifecycle_policy.backup[0].policy_details[0].schedule[0].retain_rule[0].count == 7 && one(aws_dlm_lifecycle_policy.backup[0].policy_details[0].schedule[0].create_rule[0].times) == "18:00" && aws_ebs_volume.data.tags["Backup"] == "shop-prod-database"
    error_message = "The volume is backed up daily, for a week."
  }

  assert {
    condition     = contains(one(data.aws_iam_policy_document.backup_trust[0].statement[0].condition).values, "123456789012")
    error_message = "Only backups of this account have the role."
  }
}

run "postgres_without_backups" {
  module {
    source = "./modules/database/host"
  }

  variables {
    engine         = "postgres"
    engine_version = "17"
    port           = 5433
    backup_days    = 0
    parameters     = { max_connections = "100", search_path = "'; touch /taken; '" }
  }

  assert {
    condition = alltrue([
      for line in ["-c ssl=on", "-c max_connections='100'", "-c search_path=''\\''; touch /taken; '\\'''", "--publish 5433:5432", "POSTGRES_DB='shop'", "/data/db:/var/lib/postgresql/data"] :
      strcontains(base64decode(aws_launch_template.this.user_data), line)
    ])
    error_message = "PostgreSQL is told in its own words."
  }

  assert {
    condition     = length(aws_dlm_lifecycle_policy.backup) == 0
    error_message = "No days, no backups."
  }
}

run "dumps_each_day" {
  module {
    source = "./modules/database/host"
  }

  variables {
    engine = "mariadb"
    dumps  = { bucket = "shop-prod-backups-1", bucket_arn = "arn:aws:s3:::shop-prod-backups-1", schedule = "cron(0 18 * * ? *)" }
  }

  assert {
    condition     = aws_ssm_association.dumps[0].schedule_expression == "cron(0 18 * * ? *)" && aws_ssm_association.dumps[0].apply_only_at_cron_interval
    error_message = "At its time, and not when it is made: there may be no database yet."
  }

  assert {
    condition = alltrue([
      for line in ["ENGINE='mariadb'", "BUCKET='shop-prod-backups-1'", "NAME=$(date -u +daily-", "dump=mariadb-dump", "exec $dump --user=root"] :
      strcontains(base64decode(regex("<<< ([^)]+)\\)", aws_ssm_association.dumps[0].parameters["commands"])[0]), line)
    ])
    error_message = "The host runs one script for all dumps, with its own settings before it."
  }

  assert {
    condition     = aws_instance.this.tags["crossfade:dumps"] == "shop-prod-backups-1" && aws_instance.this.tags["crossfade:engine"] == "mariadb"
    error_message = "A deploy finds the host and the bucket by tags."
  }
}
