# What the CloudWatch agent of the hosts reports. It fetches this by its name, which has to begin with AmazonCloudWatch-.

locals {
  agent = var.agent == null ? [] : [var.agent]
  files = var.agent == null ? {} : var.agent.files
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
      run_as_user                 = "root"
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
          measurement = ["cpu_usage_idle", "cpu_usage_iowait"]
          totalcpu    = true
        }
        disk = {
          measurement = ["used_percent"]
          resources   = local.agent[count.index].disks
        }
        mem = {
          measurement = ["mem_used_percent"]
        }
        processes = {
          measurement = ["processes_running", "processes_sleeping", "processes_dead", "processes_total"]
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
