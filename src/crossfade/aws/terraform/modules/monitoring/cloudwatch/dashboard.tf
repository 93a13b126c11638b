# One page: what visitors get, who answers, and what keeps the data. Three graphs a row.

locals {
  region = data.aws_region.current.name

  graphs = concat(
    flatten([for balancer in var.load_balancer[*] : [
      {
        title = "Requests a minute"
        stat  = "Sum"
        metrics = [
          ["AWS/ApplicationELB", "RequestCount", "LoadBalancer", balancer.arn_suffix],
        ]
      },
      {
        title = "5xx a minute"
        stat  = "Sum"
        metrics = [
          ["AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "LoadBalancer", balancer.arn_suffix],
          ["AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", "LoadBalancer", balancer.arn_suffix],
        ]
      },
      {
        title = "p50, p95 and p99, seconds"
        stat  = "p95"
        metrics = [
          for share in ["p50", "p95", "p99"] : [
            "AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", balancer.arn_suffix,
            { stat = share, label = share },
          ]
        ]
      },
      {
        title = "Healthy targets"
        stat  = "Minimum"
        metrics = [
          for group, dimensions in local.target_groups : [
            "AWS/ApplicationELB", "HealthyHostCount",
            "TargetGroup", dimensions.TargetGroup, "LoadBalancer", dimensions.LoadBalancer, { label = group },
          ]
        ]
      },
      {
        title = "Unhealthy targets"
        stat  = "Maximum"
        metrics = [
          for group, dimensions in local.target_groups : [
            "AWS/ApplicationELB", "UnHealthyHostCount",
            "TargetGroup", dimensions.TargetGroup, "LoadBalancer", dimensions.LoadBalancer, { label = group },
          ]
        ]
      },
    ]]),
    flatten([for cluster in var.cluster[*] : [
      for metric in ["CPUUtilization", "MemoryUtilization"] : {
        title = "${metric} of services"
        stat  = "Average"
        metrics = [
          for service, dimensions in local.services : [
            "AWS/ECS", metric,
            "ClusterName", dimensions.ClusterName, "ServiceName", dimensions.ServiceName, { label = service },
          ]
        ]
      }
    ]]),
    !local.on_hosts ? [] : [
      {
        title   = "CPUUtilization of hosts"
        stat    = "Average"
        metrics = [for host, of in var.hosts : ["AWS/EC2", "CPUUtilization", keys(of)[0], values(of)[0]]]
      },
    ],
    !local.on_hosts || var.agent == null ? [] : [
      {
        title   = "Memory of hosts, percent"
        stat    = "Average"
        metrics = [for host, of in var.hosts : [local.agent_name, local.names["mem_used_percent"], keys(of)[0], values(of)[0]]]
      },
    ],
    flatten([for database in var.database[*] : [
      for metric in ["CPUUtilization", "DatabaseConnections", "FreeStorageSpace"] : {
        title   = "${metric} of the database"
        stat    = "Average"
        metrics = [["AWS/RDS", metric, "DBInstanceIdentifier", database.identifier]]
      }
    ]]),
    [for database in var.database[*] : {
      title   = "IOPS of the database"
      stat    = "Average"
      metrics = [for kind in ["ReadIOPS", "WriteIOPS"] : ["AWS/RDS", kind, "DBInstanceIdentifier", database.identifier]]
    }],
    flatten([for cache in var.cache[*] : [
      for metric in ["EngineCPUUtilization", "DatabaseMemoryUsagePercentage", "CacheHitRate", "Evictions"] : {
        title = "${metric} of the cache"
        stat  = "Average"
        metrics = [
          for number, dimensions in local.nodes :
          ["AWS/ElastiCache", metric, "CacheClusterId", dimensions.CacheClusterId]
        ]
      }
    ]]),
  )
}

data "aws_region" "current" {}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.dashboard ? 1 : 0

  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = [
      for index, graph in local.graphs : {
        type   = "metric"
        x      = index % 3 * 8
        y      = floor(index / 3) * 6
        width  = 8
        height = 6
        properties = {
          title   = graph.title
          region  = local.region
          view    = "timeSeries"
          stacked = false
          period  = 60
          stat    = graph.stat
          metrics = graph.metrics
        }
      }
    ]
  })
}
