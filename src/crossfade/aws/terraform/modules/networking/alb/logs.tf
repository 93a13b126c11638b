# A record of every request, in a bucket that only the load balancer writes to.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html

locals {
  logs = var.access_logs ? 1 : 0
}

resource "aws_s3_bucket" "logs" {
  count = local.logs

  # Names of buckets are taken worldwide: AWS completes this one.
  bucket_prefix = substr("${var.name}-requests-", 0, 37)

  tags = { Name = "${var.name}-requests" }
}

resource "aws_s3_bucket_public_access_block" "logs" {
  count = local.logs

  bucket                  = aws_s3_bucket.logs[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "logs" {
  count = local.logs

  bucket = aws_s3_bucket.logs[0].id

  rule {
    # The load balancer writes with no other.
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "logs" {
  count = local.logs

  bucket = aws_s3_bucket.logs[0].id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {}

    expiration {
      days = var.access_log_days
    }
  }
}

data "aws_iam_policy_document" "logs" {
  count = local.logs

  statement {
    sid       = "LoadBalancerWrites"
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.logs[0].arn}/AWSLogs/*"]

    principals {
      type        = "Service"
      identifiers = ["logdelivery.elasticloadbalancing.amazonaws.com"]
    }
  }

  statement {
    sid       = "OnlyWithTLS"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.logs[0].arn, "${aws_s3_bucket.logs[0].arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "logs" {
  count = local.logs

  bucket = aws_s3_bucket.logs[0].id
  policy = data.aws_iam_policy_document.logs[0].json

  depends_on = [aws_s3_bucket_public_access_block.logs]
}
