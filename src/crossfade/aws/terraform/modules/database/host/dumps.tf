# A dump each day, in a bucket. Systems Manager brings it about, so that a host that is there already needs nothing new.

locals {
  dumps = var.dumps == null ? 0 : 1
}

data "aws_iam_policy_document" "dumps" {
  count = local.dumps

  statement {
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${var.dumps.bucket_arn}/database/*"]
  }
}

resource "aws_iam_role_policy" "dumps" {
  count = local.dumps

  name   = "dumps"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.dumps[0].json
}

resource "aws_ssm_association" "dumps" {
  count = local.dumps

  name                        = "AWS-RunShellScript"
  association_name            = "${var.name}-dump"
  schedule_expression         = var.dumps.schedule
  apply_only_at_cron_interval = true
  compliance_severity         = "HIGH"

  parameters = {
    # Encoded, for AWS would take what stands in double braces for a parameter's name.
    commands = "#!/bin/bash\nexec bash <(base64 -d <<< ${base64encode(local.dump)})"
  }

  targets {
    key    = "InstanceIds"
    values = [aws_instance.this.id]
  }

  depends_on = [aws_iam_role_policy.dumps]
}

locals {
  dump = var.dumps == null ? "" : join("\n", [
    "ENGINE='${var.engine}'",
    "BUCKET='${var.dumps.bucket}'",
    "REGION='${var.region}'",
    "NAME=$(date -u +daily-%Y-%m-%dT%H-%M-%SZ)",
    file("${path.module}/dump.sh"),
  ])
}
