# The secrets of one environment, without values: those are put in by a person or a program, and are in no state.
#
#   aws secretsmanager put-secret-value --secret-id NAME --secret-string "$(cat)"

locals {
  rotated = { for variable, secret in var.secrets : variable => secret if secret.rotate_days != null }
}

resource "aws_secretsmanager_secret" "this" {
  for_each = var.secrets

  name                    = each.value.name
  description             = "${each.key} of ${var.name}"
  recovery_window_in_days = var.recovery_days

  tags = each.value.rotate_days == null ? {} : { RotateEvery = "${each.value.rotate_days}d" }
}

# A secret that is due is a sentence to those who are told of warnings. Only the application knows how its secret is
# changed without an outage, so nothing changes it behind its back.
resource "aws_cloudwatch_event_rule" "due" {
  for_each = local.rotated

  name                = "${var.name}-rotate-${each.key}"
  description         = "${each.value.name} wants a new value"
  schedule_expression = each.value.rotate_days == 1 ? "rate(1 day)" : "rate(${each.value.rotate_days} days)"
}

resource "aws_cloudwatch_event_target" "due" {
  for_each = local.rotated

  rule  = aws_cloudwatch_event_rule.due[each.key].name
  arn   = var.warning_topic_arn
  input = jsonencode("${var.name}: the secret ${each.value.name} (${each.key}) is due, it changes every ${each.value.rotate_days} days. Put a new value in Secrets Manager and deploy again: instances read it when they start.")
}
