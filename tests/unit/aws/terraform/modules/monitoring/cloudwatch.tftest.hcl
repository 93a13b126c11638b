mock_provider "aws" {
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:ap-northeast-2:123456789012:topic" }
  }

  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::tiketi-prod-trail-1", id = "tiketi-prod-trail-1" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:1" }
  }
}

override_resource {
  target = aws_sns_topic.critical
  values = { arn = "arn:aws:sns:ap-northeast-2:123456789012:tiketi-prod-critical" }
}

override_resource {
  target = aws_sns_topic.warning
  values = { arn = "arn:aws:sns:ap-northeast-2:123456789012:tiketi-prod-warning" }
}

variables {
  name              = "tiketi-prod"
  critical_contacts = ["oncall@tiketi.gg", "+821012345678"]
  warning_contacts  = ["team@tiketi.gg"]
  alarms = [
    { on = "cpu", limit = 90, minutes = 5, severity = "critical" },
    { on = "cpu", limit = 70, minutes = 10, severity = "warning" },
    { on = "memory", limit = 80, minutes = 5, severity = "warning" },
    { on = "unhealthy-hosts", limit = 0, minutes = 2, severity = "critical" },
    { on = "errors", limit = 10, minutes = 1, severity = "critical" },
    { on = "latency", limit = 0.15, minutes = 5, severity = "warning" },
    { on = "db-cpu", limit = 80, minutes = 5, severity = "warning" },
    { on = "db-connections", limit = 90, minutes = 5, severity = "critical" },
    { on = "db-free-storage", limit = 20, minutes = 5, severity = "warning" },
    { on = "cache-cpu", limit = 80, minutes = 5, severity = "warning" },
    { on = "cache-memory", limit = 80, minutes = 5, severity = "warning" },
    { on = "cache-hit-rate", limit = 80, minutes = 5, severity = "warning" },
  ]
  cluster = { name = "tiketi-prod", services = { api = "tiketi-prod-api" } }
  load_balancer = {
    arn_suffix    = "app/tiketi-prod/1"
    target_groups = { api-blue = "targetgroup/blue/1", api-green = "targetgroup/green/2" }
  }
  database = { identifier = "tiketi-prod", storage_gib = 20 }
  cache    = { group = "tiketi-prod", shards = 2, replicas = 1, cluster = true }
}

run "tells_those_who_are_to_know" {
  module {
    source = "./modules/monitoring/cloudwatch"
  }

  assert {
    condition = { for contact, of in aws_sns_topic_subscription.critical : contact => of.protocol } == {
      "+821012345678" = "sms", "oncall@tiketi.gg" = "email",
    }
    error_message = "Critical alarms go out by mail and SMS."
  }

  assert {
    condition     = aws_sns_topic_subscription.warning["team@tiketi.gg"].topic_arn == aws_sns_topic.warning.arn
    error_message = "Warnings go to those of the warnings."
  }

  assert {
    condition = alltrue([
      for topic in ["critical", "warning"] : alltrue([
        jsondecode(aws_sns_topic_policy.this[topic].policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012",
        contains(jsondecode(aws_sns_topic_policy.this[topic].policy).Statement[0].Principal.Service, "budgets.amazonaws.com"),
      ])
    ])
    error_message = "Services of this account alone publish there, the budget among them."
  }

  assert {
    condition = alltrue([
      for topic in ["critical", "warning"] : [
        for one in jsondecode(aws_sns_topic_policy.this[topic].policy).Statement : try(one.Condition, "none")
        if one.Principal.Service == "events.amazonaws.com"
      ] == ["none"]
    ])
    error_message = "EventBridge names no account to a topic: under a condition its reminders would be lost unseen."
  }
}

run "watches_services" {
  module {
    source = "./modules/monitoring/cloudwatch"
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.metric["cpu-api-90-critical"].threshold == 90
      && aws_cloudwatch_metric_alarm.metric["cpu-api-90-critical"].evaluation_periods == 5
      && aws_cloudwatch_metric_alarm.metric["cpu-api-90-critical"].alarm_actions == toset([aws_sns_topic.critical.arn])
      && aws_cloudwatch_metric_alarm.metric["cpu-api-90-critical"].dimensions == tomap({ ClusterName = "tiketi-prod", ServiceName = "tiketi-prod-api" })
    )
    error_message = "CPU above 90 % for 5 minutes is critical."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.metric["cpu-api-70-warning"].evaluation_periods == 10
      && aws_cloudwatch_metric_alarm.metric["cpu-api-70-warning"].alarm_actions == toset([aws_sns_topic.warning.arn])
    )
    error_message = "CPU above 70 % for 10 minutes is a warning, beside the other."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.metric["memory-api-80-warning"].metric_name == "MemoryUtilization" && aws_cloudwatch_metric_alarm.metric["memory-api-80-warning"].namespace == "AWS/ECS"
    error_message = "Memory of a service is what ECS says."
  }
}

run "watches_what_visitors_get" {
  module {
    source = "./modules/monitoring/cloudwatch"
  }

  assert {
    condition = {
      for colour in ["blue", "green"] :
      colour => aws_cloudwatch_metric_alarm.metric["unhealthy-hosts-api-${colour}-0-critical"].dimensions.TargetGroup
    } == { blue = "targetgroup/blue/1", green = "targetgroup/green/2" }
    error_message = "Both colours are watched for unhealthy hosts."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.metric["unhealthy-hosts-api-blue-0-critical"].comparison_operator == "GreaterThanThreshold" && aws_cloudwatch_metric_alarm.metric["unhealthy-hosts-api-blue-0-critical"].evaluation_periods == 2
    error_message = "A single unhealthy host for 2 minutes is enough."
  }

  assert {
    condition = toset([
      for query in aws_cloudwatch_metric_alarm.sum["errors-visitors-10-critical"].metric_query :
      query.metric[0].metric_name if query.id != "total"
    ]) == toset(["HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"])
    error_message = "Errors are those of the application and of the load balancer together."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.sum["errors-visitors-10-critical"].threshold == 10
      && aws_cloudwatch_metric_alarm.sum["errors-visitors-10-critical"].evaluation_periods == 1
      && alltrue([for query in aws_cloudwatch_metric_alarm.sum["errors-visitors-10-critical"].metric_query : query.id == "total" ? true : one(query.metric).period == 60])
    )
    error_message = "More than 10 in one minute is critical."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.metric["latency-visitors-0.15-warning"].extended_statistic == "p95" && aws_cloudwatch_metric_alarm.metric["latency-visitors-0.15-warning"].threshold == 0.15
    error_message = "Latency is that of 95 % of the requests."
  }

  assert {
    condition     = toset(output.rollback_alarm_names) == toset(["tiketi-prod-errors-visitors-10-critical", "tiketi-prod-latency-visitors-0.15-warning"])
    error_message = "A deploy is taken back for what visitors notice, and not for a busy CPU."
  }
}

run "watches_data" {
  module {
    source = "./modules/monitoring/cloudwatch"
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.metric["db-free-storage-database-20-warning"].threshold == 4294967296
      && aws_cloudwatch_metric_alarm.metric["db-free-storage-database-20-warning"].comparison_operator == "LessThanThreshold"
    )
    error_message = "20 % of 20 GiB are 4 GiB, and less of them is bad."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.metric["db-connections-database-90-critical"].threshold == 90 && aws_cloudwatch_metric_alarm.metric["db-connections-database-90-critical"].dimensions == tomap({ DBInstanceIdentifier = "tiketi-prod" })
    error_message = "Connections are counted, and not in percent."
  }

  assert {
    condition = toset([
      for key, alarm in aws_cloudwatch_metric_alarm.sum :
      one([for query in alarm.metric_query : query.metric[0].dimensions.CacheClusterId if query.id == "hits"])
      if startswith(key, "cache-hit-rate")
    ]) == toset(["tiketi-prod-0001-001", "tiketi-prod-0001-002", "tiketi-prod-0002-001", "tiketi-prod-0002-002"])
    error_message = "Two shards of a primary and a replica are four nodes, as ElastiCache names them."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.sum["cache-hit-rate-0001-001-80-warning"].comparison_operator == "LessThanThreshold" && aws_cloudwatch_metric_alarm.sum["cache-hit-rate-0001-001-80-warning"].threshold == 80
    error_message = "Fewer hits than 80 % is bad."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.metric["cache-memory-0002-002-80-warning"].metric_name == "DatabaseMemoryUsagePercentage"
    error_message = "Each node's memory is watched."
  }
}

run "shows_it_on_a_page" {
  module {
    source = "./modules/monitoring/cloudwatch"
  }

  assert {
    condition = length(setintersection(
      [for widget in jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets : widget.properties.title],
      ["Requests a minute", "5xx a minute", "p50, p95 and p99, seconds", "CPUUtilization of services", "DatabaseConnections of the database", "CacheHitRate of the cache"],
    )) == 6
    error_message = "The dashboard has visitors, services, database and cache."
  }

  assert {
    condition     = length(distinct([for widget in jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets : "${widget.x},${widget.y}"])) == length(jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets)
    error_message = "No two graphs lie on each other."
  }

  assert {
    condition     = length(aws_ssm_parameter.agent) == 0 && length(aws_cloudtrail.this) == 0 && length(aws_guardduty_detector.this) == 0
    error_message = "What was not asked for is not there."
  }
}

run "a_single_node_is_named_without_a_shard" {
  module {
    source = "./modules/monitoring/cloudwatch"
  }

  variables {
    alarms    = [{ on = "cache-cpu", limit = 80, minutes = 5, severity = "warning" }]
    cache     = { group = "tiketi-dev", shards = 1, replicas = 0, cluster = false }
    dashboard = false
  }

  assert {
    condition     = [for alarm in aws_cloudwatch_metric_alarm.metric : alarm.dimensions.CacheClusterId] == ["tiketi-dev-001"]
    error_message = "A cache of one node has one alarm, on that node."
  }

  assert {
    condition     = length(aws_cloudwatch_dashboard.this) == 0
    error_message = "A dashboard that nobody asked for is not there."
  }
}

run "watches_hosts_by_their_agent" {
  module {
    source = "./modules/monitoring/cloudwatch"
  }

  variables {
    name     = "bluegreen-prod"
    cluster  = null
    database = null
    cache    = null
    hosts    = { hosts = { AutoScalingGroupName = "bluegreen-prod" } }
    log_days = 7
    alarms = [
      { on = "cpu", limit = 80, minutes = 12, severity = "warning" },
      { on = "memory", limit = 80, minutes = 5, severity = "warning" },
    ]
    agent = {
      namespace     = "BlueGreen/Application"
      disks         = ["/", "/opt"]
      every_seconds = 60
      files         = { access = "/var/log/nginx/access.log", app = "/opt/bluegreen/logs/app.log" }
      names         = { cpu_usage_idle = "CPU_IDLE", mem_used_percent = "MEM_USED" }
    }
  }

  assert {
    condition = (
      jsondecode(aws_ssm_parameter.agent[0].value).metrics.namespace == "BlueGreen/Application"
      && jsondecode(aws_ssm_parameter.agent[0].value).agent.metrics_collection_interval == 60
      && jsondecode(aws_ssm_parameter.agent[0].value).agent.run_as_user == "cwagent"
      && jsondecode(aws_ssm_parameter.agent[0].value).metrics.metrics_collected.disk.resources == ["/", "/opt"]
      && jsondecode(aws_ssm_parameter.agent[0].value).metrics.metrics_collected.cpu.measurement == [{ name = "cpu_usage_idle", rename = "CPU_IDLE" }, { name = "cpu_usage_iowait" }]
      && contains(keys(jsondecode(aws_ssm_parameter.agent[0].value).metrics.metrics_collected), "processes")
    )
    error_message = "The agent, which is no root, reports CPU, disks, memory and processes every minute."
  }

  assert {
    condition = {
      for file in jsondecode(aws_ssm_parameter.agent[0].value).logs.logs_collected.files.collect_list :
      file.file_path => file.log_group_name
      } == {
      "/var/log/nginx/access.log"   = "/bluegreen-prod/access"
      "/opt/bluegreen/logs/app.log" = "/bluegreen-prod/app"
    }
    error_message = "Log files go to log groups."
  }

  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.hosts : group.retention_in_days == 7])
    error_message = "Logs are kept as long as the file says."
  }

  assert {
    condition     = strcontains(aws_ssm_parameter.agent[0].value, "$${aws:AutoScalingGroupName}") && output.agent_parameter == "AmazonCloudWatch-bluegreen-prod"
    error_message = "The agent finds its configuration, and fills in its own group."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.metric["cpu-hosts-80-warning"].period == 300
      && aws_cloudwatch_metric_alarm.metric["cpu-hosts-80-warning"].evaluation_periods == 3
      && aws_cloudwatch_metric_alarm.metric["memory-hosts-80-warning"].namespace == "BlueGreen/Application"
      && aws_cloudwatch_metric_alarm.metric["memory-hosts-80-warning"].metric_name == "MEM_USED"
    )
    error_message = "Hosts' CPU comes every five minutes from EC2, their memory from the agent."
  }
}

run "guards_the_account" {
  module {
    source = "./modules/monitoring/cloudwatch"
  }

  variables {
    cloudtrail = true
    guardduty  = true
  }

  assert {
    condition     = aws_cloudtrail.this[0].is_multi_region_trail && aws_cloudtrail.this[0].enable_log_file_validation && aws_guardduty_detector.this[0].enable
    error_message = "Calls are recorded in every region, and cannot be altered unnoticed."
  }

  assert {
    condition     = aws_s3_bucket_public_access_block.trail[0].restrict_public_buckets && one(aws_cloudwatch_event_target.guardduty).arn == aws_sns_topic.critical.arn
    error_message = "The record is closed, and serious findings reach those on call."
  }
}

run "refuses_a_severity_that_nobody_hears" {
  command = plan

  module {
    source = "./modules/monitoring/cloudwatch"
  }

  variables {
    alarms = [{ on = "cpu", limit = 80, minutes = 5, severity = "info" }]
  }

  expect_failures = [var.alarms]
}
