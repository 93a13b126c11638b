mock_provider "aws" {}

variables {
  name              = "shop-prod"
  engine            = "redis"
  engine_version    = "7.1"
  family            = "redis7"
  node_type         = "cache.t3.micro"
  snapshot_window   = "19:00-20:00"
  subnet_ids        = ["subnet-1", "subnet-2"]
  security_group_id = "sg-1"
}

run "a_cluster_of_shards" {
  module {
    source = "./modules/database/elasticache"
  }

  variables {
    shards        = 2
    cluster       = true
    replicas      = 1
    snapshot_days = 3
  }

  assert {
    condition = (
      aws_elasticache_replication_group.this.num_node_groups == 2 && aws_elasticache_replication_group.this.replicas_per_node_group == 1 &&
      aws_elasticache_replication_group.this.automatic_failover_enabled && aws_elasticache_replication_group.this.multi_az_enabled
    )
    error_message = "Two shards of two nodes in two zones."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_mode == "required" && aws_elasticache_replication_group.this.at_rest_encryption_enabled == "true" && aws_elasticache_replication_group.this.auth_token == null
    error_message = "Encrypted on disk and on the way, with no password in the state."
  }

  assert {
    condition     = { for one in aws_elasticache_parameter_group.this.parameter : one.name => one.value } == { "cluster-enabled" = "yes", "maxmemory-policy" = "volatile-lru" }
    error_message = "Shards make a cluster."
  }

  assert {
    condition = (
      { for one in aws_elasticache_replication_group.this.log_delivery_configuration : one.log_type => one.destination } == {
        "slow-log"   = "/elasticache/shop-prod/slow-log"
        "engine-log" = "/elasticache/shop-prod/engine-log"
      } && alltrue([for one in aws_cloudwatch_log_group.this : one.retention_in_days == 30])
    )
    error_message = "It says what was slow and what it did, for as long as all others."
  }

  assert {
    condition     = output.endpoint == aws_elasticache_replication_group.this.configuration_endpoint_address
    error_message = "A cluster is reached by its configuration endpoint."
  }
}

run "one_node" {
  module {
    source = "./modules/database/elasticache"
  }

  variables {
    snapshot_days  = 0
    engine_version = "6.2"
    family         = "redis6.x"
  }

  assert {
    condition     = [for one in aws_elasticache_replication_group.this.log_delivery_configuration : one.log_type] == ["slow-log"]
    error_message = "Redis 6 tells only what was slow."
  }

  assert {
    condition     = !aws_elasticache_replication_group.this.automatic_failover_enabled && !aws_elasticache_replication_group.this.multi_az_enabled && aws_elasticache_replication_group.this.snapshot_retention_limit == 0
    error_message = "One node has nobody to hand over to."
  }

  assert {
    condition     = output.endpoint == aws_elasticache_replication_group.this.primary_endpoint_address
    error_message = "One node is reached as what it is."
  }
}

run "what_elasticache_would_refuse" {
  command = plan

  module {
    source = "./modules/database/elasticache"
  }

  variables {
    node_type = "t3.micro"
    engine    = "memcached"
    replicas  = 6
  }

  expect_failures = [var.node_type, var.engine, var.replicas]
}
