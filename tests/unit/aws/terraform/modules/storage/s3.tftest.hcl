mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  name = "shop-prod-files"
}

run "a_private_bucket_whose_objects_age" {
  module {
    source = "./modules/storage/s3"
  }

  variables {
    moves           = [{ days = 30, class = "STANDARD_IA" }, { days = 90, class = "GLACIER_IR" }, { days = 365, class = "DEEP_ARCHIVE" }]
    expire_days     = 730
    expire_old_days = 30
    cors_origins    = ["https://shop.example.com"]
  }

  assert {
    condition = (
      aws_s3_bucket_public_access_block.this.block_public_acls && aws_s3_bucket_public_access_block.this.block_public_policy &&
      aws_s3_bucket_public_access_block.this.ignore_public_acls && aws_s3_bucket_public_access_block.this.restrict_public_buckets
    )
    error_message = "Nothing in it is public."
  }

  assert {
    condition     = { for one in aws_s3_bucket_lifecycle_configuration.this.rule[0].transition : tostring(one.days) => one.storage_class } == { "30" = "STANDARD_IA", "90" = "GLACIER_IR", "365" = "DEEP_ARCHIVE" }
    error_message = "Objects move as they age."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration[0].days == 730 && aws_s3_bucket_lifecycle_configuration.this.rule[0].noncurrent_version_expiration[0].noncurrent_days == 30
    error_message = "Objects go, and overwritten ones sooner."
  }

  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled" && !aws_s3_bucket.this.force_destroy && aws_s3_bucket.this.bucket_prefix == "shop-prod-files-"
    error_message = "Versioned, and not deleted while something is in it."
  }

  assert {
    condition     = one(data.aws_iam_policy_document.this.statement[0].condition).variable == "aws:SecureTransport" && data.aws_iam_policy_document.this.statement[0].effect == "Deny"
    error_message = "Without TLS nothing is answered."
  }
}

run "a_long_name_and_nothing_else" {
  command = plan

  module {
    source = "./modules/storage/s3"
  }

  variables {
    name      = "a-very-long-application-name-production-and-its-files"
    versioned = false
  }

  assert {
    condition     = length(aws_s3_bucket.this.bucket_prefix) == 37 && length(aws_s3_bucket_cors_configuration.this) == 0 && aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Suspended"
    error_message = "AWS takes 37 characters before its own."
  }
}

run "a_class_that_s3_has_not" {
  command = plan

  module {
    source = "./modules/storage/s3"
  }

  variables {
    moves = [{ days = 30, class = "COLD" }]
  }

  expect_failures = [var.moves]
}
