# A cache of ElastiCache: encrypted on disk and on the way, reached from the application only. It has no password,
# because one given here would be in the state; `aws elasticache modify-replication-group --auth-token` gives it one.

locals {
  # https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Log_Delivery.html
  major = tonumber(split(".", var.engine_version)[0])
  logs  = toset(var.engine == "redis" && local.major < 6 ? [] : local.major == 6 ? ["slow-log"] : ["slow-log", "engine-log"])
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = local.logs

  name              = "/elasticache/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
}

resource "aws_elasticache_subnet_group" "this" {
  name        = var.name
  description = "Where ${var.name} stands"
  subnet_ids  = var.subnet_ids

  tags = { Name = var.name }
}

resource "aws_elasticache_parameter_group" "this" {
  name        = "${var.name}-${replace(var.family, ".", "-")}"
  family      = var.family
  description = "Settings of ${var.name}"

  parameter {
    name  = "maxmemory-policy"
    value = var.policy
  }

  dynamic "parameter" {
    for_each = var.cluster ? ["yes"] : []

    content {
      name  = "cluster-enabled"
      value = parameter.value
    }
  }

  tags = { Name = var.name }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id = var.name
  description          = "Cache of ${var.name}"
  engine               = var.engine
  engine_version       = var.engine_version
  node_type            = var.node_type
  port                 = var.port
  parameter_group_name = aws_elasticache_parameter_group.this.name

  num_node_groups         = var.shards
  replicas_per_node_group = var.replicas
  # A cluster has to be able to choose a new primary; one node has nobody to hand over to.
  automatic_failover_enabled = var.cluster || var.replicas > 0
  multi_az_enabled           = var.replicas > 0

  subnet_group_name          = aws_elasticache_subnet_group.this.name
  security_group_ids         = [var.security_group_id]
  at_rest_encryption_enabled = true
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"

  snapshot_retention_limit   = var.snapshot_days
  snapshot_window            = var.snapshot_days > 0 ? var.snapshot_window : null
  maintenance_window         = var.maintenance_window
  auto_minor_version_upgrade = true

  dynamic "log_delivery_configuration" {
    for_each = aws_cloudwatch_log_group.this

    content {
      log_type         = log_delivery_configuration.key
      log_format       = "json"
      destination_type = "cloudwatch-logs"
      destination      = log_delivery_configuration.value.name
    }
  }

  tags = { Name = var.name }
}
