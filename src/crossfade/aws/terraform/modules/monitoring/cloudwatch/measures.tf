# What can be watched: a metric of CloudWatch for each target. Targets are named for people; their dimensions are AWS's.

locals {
  services = var.cluster == null ? {} : {
    for service, name in var.cluster.services : service => { ClusterName = var.cluster.name, ServiceName = name }
  }
  visitors = var.load_balancer == null ? {} : {
    visitors = { LoadBalancer = var.load_balancer.arn_suffix }
  }
  target_groups = var.load_balancer == null ? {} : {
    for group, suffix in var.load_balancer.target_groups :
    group => { LoadBalancer = var.load_balancer.arn_suffix, TargetGroup = suffix }
  }
  database = var.database == null ? {} : { database = { DBInstanceIdentifier = var.database.identifier } }

  # ElastiCache names its nodes group-001, or group-0001-001 in cluster mode.
  node_numbers = var.cache == null ? [] : [
    for pair in setproduct(range(var.cache.shards), range(var.cache.replicas + 1)) :
    var.cache.cluster ? format("%04d-%03d", pair[0] + 1, pair[1] + 1) : format("%03d", pair[1] + 1)
  ]
  nodes = { for number in local.node_numbers : number => { CacheClusterId = "${var.cache.group}-${number}" } }

  on_hosts     = length(var.hosts) > 0
  agent_name   = var.agent == null ? "CWAgent" : var.agent.namespace
  agent_period = var.agent == null ? 60 : max(60, ceil(var.agent.every_seconds / 60) * 60)
  storage      = var.database == null ? 0 : var.database.storage_gib * pow(1024, 3)

  # `unit` is how much one of the file's limit is of the metric's: a percent of the disk in bytes. EC2 reports every five
  # minutes, the others every minute.
  metrics = {
    cpu = {
      namespace = local.on_hosts ? "AWS/EC2" : "AWS/ECS"
      metric    = "CPUUtilization"
      statistic = "Average"
      period    = local.on_hosts ? 300 : 60
      unit      = 1
      below     = false
      missing   = local.on_hosts ? "missing" : "notBreaching" # the colour that rests has no tasks, and no data
      targets   = merge(local.services, var.hosts)
    }
    memory = {
      namespace = local.on_hosts ? local.agent_name : "AWS/ECS"
      metric    = local.on_hosts ? local.names["mem_used_percent"] : "MemoryUtilization"
      statistic = "Average"
      period    = local.on_hosts ? local.agent_period : 60
      unit      = 1
      below     = false
      missing   = local.on_hosts ? "missing" : "notBreaching" # the colour that rests has no tasks, and no data
      targets   = merge(local.services, var.hosts)
    }
    unhealthy-hosts = {
      namespace = "AWS/ApplicationELB"
      metric    = "UnHealthyHostCount"
      statistic = "Maximum"
      period    = 60
      unit      = 1
      below     = false
      missing   = "notBreaching" # the colour that rests has no targets, and no data
      targets   = local.target_groups
    }
    latency = {
      namespace = "AWS/ApplicationELB"
      metric    = "TargetResponseTime"
      statistic = "p95"
      period    = 60
      unit      = 1
      below     = false
      missing   = "notBreaching" # a minute without visitors
      targets   = local.visitors
    }
    db-cpu = {
      namespace = "AWS/RDS"
      metric    = "CPUUtilization"
      statistic = "Average"
      period    = 60
      unit      = 1
      below     = false
      missing   = "missing"
      targets   = local.database
    }
    db-connections = {
      namespace = "AWS/RDS"
      metric    = "DatabaseConnections"
      statistic = "Maximum"
      period    = 60
      unit      = 1
      below     = false
      missing   = "missing"
      targets   = local.database
    }
    db-free-storage = {
      namespace = "AWS/RDS"
      metric    = "FreeStorageSpace"
      statistic = "Minimum"
      period    = 60
      unit      = local.storage / 100
      below     = true
      missing   = "missing"
      targets   = local.database
    }
    cache-cpu = {
      namespace = "AWS/ElastiCache"
      metric    = "EngineCPUUtilization"
      statistic = "Average"
      period    = 60
      unit      = 1
      below     = false
      missing   = "missing"
      targets   = local.nodes
    }
    cache-memory = {
      namespace = "AWS/ElastiCache"
      metric    = "DatabaseMemoryUsagePercentage"
      statistic = "Average"
      period    = 60
      unit      = 1
      below     = false
      missing   = "missing"
      targets   = local.nodes
    }
  }

  # Numbers that are made of two metrics.
  sums = {
    # What a visitor sees: errors of the application, and those of the load balancer that found nobody to ask.
    errors = {
      namespace  = "AWS/ApplicationELB"
      metrics    = { of_app = "HTTPCode_Target_5XX_Count", of_balancer = "HTTPCode_ELB_5XX_Count" }
      expression = "FILL(of_app, 0) + FILL(of_balancer, 0)"
      label      = "5xx"
      below      = false
      targets    = local.visitors
    }
    # A node that nobody asks misses nothing: a replica, or a quiet night.
    cache-hit-rate = {
      namespace  = "AWS/ElastiCache"
      metrics    = { hits = "CacheHits", misses = "CacheMisses" }
      expression = "IF(FILL(hits, 0) + FILL(misses, 0) > 0, 100 * FILL(hits, 0) / (FILL(hits, 0) + FILL(misses, 0)), 100)"
      label      = "Hit rate, percent"
      below      = true
      targets    = local.nodes
    }
  }
}
