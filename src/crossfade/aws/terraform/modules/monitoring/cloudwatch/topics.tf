# Who is told. A mail address has to be confirmed once, by a link in the first mail; a phone number does not.
#
# The topics are not encrypted with a key of KMS: alarms could publish only with a key of our own at a dollar a month, and
# what they say is no secret.

locals {
  account = split(":", aws_sns_topic.critical.arn)[4] # from an ARN, so that no plan has to ask AWS who we are
}

resource "aws_sns_topic" "critical" {
  name         = "${var.name}-critical"
  display_name = "${var.name}!"
}

resource "aws_sns_topic" "warning" {
  name         = "${var.name}-warning"
  display_name = var.name
}

resource "aws_sns_topic_subscription" "critical" {
  for_each = toset(var.critical_contacts)

  topic_arn = aws_sns_topic.critical.arn
  protocol  = strcontains(each.value, "@") ? "email" : "sms"
  endpoint  = each.value
}

resource "aws_sns_topic_subscription" "warning" {
  for_each = toset(var.warning_contacts)

  topic_arn = aws_sns_topic.warning.arn
  protocol  = strcontains(each.value, "@") ? "email" : "sms"
  endpoint  = each.value
}

# Alarms, reminders, budgets and the pipeline speak here; of other accounts nobody, as far as AWS can tell.
resource "aws_sns_topic_policy" "this" {
  for_each = {
    critical = aws_sns_topic.critical.arn
    warning  = aws_sns_topic.warning.arn
  }

  arn = each.value

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Services"
        Effect = "Allow"
        Principal = {
          Service = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"]
        }
        Action    = "sns:Publish"
        Resource  = each.value
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
      {
        # EventBridge does not say for which account it speaks to a topic: with a condition nothing would arrive, and
        # nobody would hear of it. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html
        Sid       = "Events"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = each.value
      },
    ]
  })
}
