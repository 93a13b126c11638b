# Revisions from a bucket, brought to the hosts of an Auto Scaling group: host for host in place, each out of the balancer
# while it changes, or as a whole new fleet.

resource "aws_codedeploy_app" "this" {
  name             = var.name
  compute_platform = "Server"
}

resource "aws_codedeploy_deployment_group" "this" {
  count = var.colours == null ? 1 : 0

  app_name               = aws_codedeploy_app.this.name
  deployment_group_name  = var.name
  service_role_arn       = var.role_arn
  deployment_config_name = var.configuration
  autoscaling_groups     = var.group[*]

  deployment_style {
    deployment_option = "WITH_TRAFFIC_CONTROL"
    deployment_type   = var.blue_green ? "BLUE_GREEN" : "IN_PLACE"
  }

  load_balancer_info {
    target_group_info {
      name = var.target_group
    }
  }

  # CodeDeploy copies the Auto Scaling group, and the copy takes its place here: see `ignore_changes`. A later
  # `terraform apply` makes the group that went again, empty of visitors; `infra plan` shows it.
  dynamic "blue_green_deployment_config" {
    for_each = var.blue_green ? [1] : []

    content {
      green_fleet_provisioning_option {
        action = "COPY_AUTO_SCALING_GROUP"
      }

      deployment_ready_option {
        action_on_timeout    = var.approve ? "STOP_DEPLOYMENT" : "CONTINUE_DEPLOYMENT"
        wait_time_in_minutes = var.approve ? 60 : null
      }

      terminate_blue_instances_on_deployment_success {
        action                           = "TERMINATE"
        termination_wait_time_in_minutes = var.keep_minutes
      }
    }
  }

  auto_rollback_configuration {
    enabled = true
    events  = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]
  }

  alarm_configuration {
    enabled = length(var.alarm_names) > 0
    alarms  = var.alarm_names
  }

  trigger_configuration {
    trigger_name       = "failed"
    trigger_events     = ["DeploymentFailure", "DeploymentRollback"]
    trigger_target_arn = var.topic_arn
  }

  lifecycle {
    ignore_changes = [autoscaling_groups]
  }
}

# One for each colour, which a deploy fills while nobody is sent there: so all hosts at once, and nothing of the load
# balancer. Which Auto Scaling group launches hosts for it a deploy says, once they have what those would get.
resource "aws_codedeploy_deployment_group" "colour" {
  for_each = var.colours == null ? {} : var.colours

  app_name                    = aws_codedeploy_app.this.name
  deployment_group_name       = each.key
  service_role_arn            = var.role_arn
  deployment_config_name      = "CodeDeployDefault.AllAtOnce"
  outdated_instances_strategy = "IGNORE"

  deployment_style {
    deployment_option = "WITHOUT_TRAFFIC_CONTROL"
    deployment_type   = "IN_PLACE"
  }

  ec2_tag_set {
    ec2_tag_filter {
      key   = each.value
      type  = "KEY_AND_VALUE"
      value = each.key
    }
  }

  # It would bring an older release under the number of the new one.
  auto_rollback_configuration {
    enabled = false
  }

  trigger_configuration {
    trigger_name       = "failed"
    trigger_events     = ["DeploymentFailure"]
    trigger_target_arn = var.topic_arn
  }

  lifecycle {
    ignore_changes = [autoscaling_groups]
  }
}

# Each revision is a zip with appspec.yml at its top.
resource "aws_s3_bucket" "revisions" {
  bucket_prefix = substr("${var.name}-revisions-", 0, 37)
  # As every bucket: with objects in it, it is not deleted.
  force_destroy = false
}

resource "aws_s3_bucket_public_access_block" "revisions" {
  bucket                  = aws_s3_bucket.revisions.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "revisions" {
  bucket = aws_s3_bucket.revisions.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "revisions" {
  bucket = aws_s3_bucket.revisions.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

# A rollback needs the revision it goes back to, so what is current stays.
resource "aws_s3_bucket_lifecycle_configuration" "revisions" {
  bucket = aws_s3_bucket.revisions.id

  rule {
    id     = "overwritten"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 90
    }
  }
}

resource "aws_s3_bucket_policy" "revisions" {
  bucket = aws_s3_bucket.revisions.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "OnlyTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [aws_s3_bucket.revisions.arn, "${aws_s3_bucket.revisions.arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })

  depends_on = [aws_s3_bucket_public_access_block.revisions]
}
