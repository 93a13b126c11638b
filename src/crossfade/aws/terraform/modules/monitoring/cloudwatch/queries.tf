# Questions to the logs that somebody asks at night, kept where CloudWatch shows them: Logs Insights, Saved queries.

locals {
  questions = length(var.log_groups) == 0 ? {} : {
    errors = <<-EOT
      fields @timestamp, @logStream, @message
      | filter @message like /(?i)(error|exception|fatal|panic)/
      | sort @timestamp desc
      | limit 200
    EOT
    most   = <<-EOT
      stats count(*) as lines by @logStream
      | sort lines desc
      | limit 20
    EOT
  }
}

resource "aws_cloudwatch_query_definition" "this" {
  for_each = local.questions

  name            = "${var.name}/${each.key}"
  log_group_names = var.log_groups
  query_string    = each.value
}
