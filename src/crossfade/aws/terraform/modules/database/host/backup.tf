# Daily snapshots of the volume.

locals {
  backups = var.backup_days > 0 ? 1 : 0
}

data "aws_iam_policy_document" "backup_trust" {
  count = local.backups

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["dlm.amazonaws.com"]
    }

    # https://docs.aws.amazon.com/ebs/latest/userguide/service-role.html
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [split(":", aws_secretsmanager_secret.password.arn)[4]]
    }
  }
}

resource "aws_iam_role" "backup" {
  count = local.backups

  name               = "${var.name}-backup"
  assume_role_policy = data.aws_iam_policy_document.backup_trust[0].json

  tags = { Name = "${var.name}-backup" }
}

resource "aws_iam_role_policy_attachment" "backup" {
  count = local.backups

  role       = aws_iam_role.backup[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AWSDataLifecycleManagerServiceRole"
}

resource "aws_dlm_lifecycle_policy" "backup" {
  count = local.backups

  description        = "Daily snapshots of ${var.name}"
  execution_role_arn = aws_iam_role.backup[0].arn
  state              = "ENABLED"

  policy_details {
    resource_types = ["VOLUME"]
    target_tags    = { Backup = var.name }

    schedule {
      name      = "daily"
      copy_tags = true

      create_rule {
        interval      = 24
        interval_unit = "HOURS"
        times         = [var.backup_time]
      }

      retain_rule {
        count = var.backup_days
      }
    }
  }

  tags = { Name = "${var.name}-backup" }
}
