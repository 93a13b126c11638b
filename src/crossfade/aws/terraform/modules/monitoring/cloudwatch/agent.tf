# What the CloudWatch agent of the hosts reports. It fetches this by its name, which has to begin with AmazonCloudWatch-.

locals {
  agent = var.agent == null ? [] : [var.agent]
  files = var.agent == null ? {} : var.agent.files

  measures = [
    "cpu_usage_idle", "cpu_usage_iowait", "disk_used_percent", "mem_used_percent",
    "processes_running", "processes_sleeping", "processes_dead", "processes_total",
  ]
  # What it measures, and as what: without a name of the team's own as AWS calls it.
  names = merge({ for one in local.measures : one => one }, try(var.agent.names, {}))
  measured = {
    for one in local.measures :
    one => { for key, value in { name = one, rename = local.names[one] } : key => value if key == "name" || value != one }
  }
}

resource "aws_cloudwatch_log_group" "hosts" {
  for_each = local.files

  name              = "/${var.name}/${each.key}"
  retention_in_days = var.log_days
}

resource "aws_ssm_parameter" "agent" {
  count = length(local.agent)

  name        = "AmazonCloudWatch-${var.name}"
  description = "Configuration of the CloudWatch agent"
  type        = "String"

  value = jsonencode({
    agent = {
      metrics_collection_interval = local.agent[count.index].every_seconds
      run_as_user                 = "cwagent" # its package makes it, and hosts let it read the files below
    }
    metrics = {
      namespace = local.agent[count.index].namespace
      append_dimensions = {
        AutoScalingGroupName = "$${aws:AutoScalingGroupName}"
        InstanceId           = "$${aws:InstanceId}"
      }
      aggregation_dimensions = [["AutoScalingGroupName"]]
      metrics_collected = {
        cpu = {
          measurement = [local.measured["cpu_usage_idle"], local.measured["cpu_usage_iowait"]]
          totalcpu    = true
        }
        disk = {
          measurement = [local.measured["disk_used_percent"]]
          resources   = local.agent[count.index].disks
        }
        mem = {
          measurement = [local.measured["mem_used_percent"]]
        }
        processes = {
          measurement = [for one in local.measures : local.measured[one] if startswith(one, "processes_")]
        }
      }
    }
    logs = {
      logs_collected = {
        files = {
          collect_list = [
            for group, path in local.files : {
              file_path       = path
              log_group_name  = aws_cloudwatch_log_group.hosts[group].name
              log_stream_name = "{instance_id}"
            }
          ]
        }
      }
    }
  })
}
