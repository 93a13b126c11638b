# A lake of data: Glue, Athena, Lake Formation, a warehouse and notebooks.

resource "aws_s3_bucket" "raw" { # CF-DAT-009, CF-DAT-010, CF-DAT-011, CF-DAT-020, CF-DAT-024
  bucket        = "acme-raw"
  force_destroy = true
}

resource "aws_s3_bucket" "curated" { # CF-DAT-011
  bucket = "acme-curated"
}

resource "aws_s3_bucket_public_access_block" "curated" {
  bucket                  = aws_s3_bucket.curated.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "curated" {
  bucket = aws_s3_bucket.curated.id
  versioning_configuration { status = "Enabled" }
}

resource "aws_s3_bucket_policy" "raw" { # CF-DAT-015
  bucket = aws_s3_bucket.raw.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { AWS = "*" }, Action = "s3:GetObject", Resource = "arn:aws:s3:::acme-raw/*" }]
  })
}

resource "aws_s3_bucket_policy" "curated" { # everybody, but from one network alone and over TLS
  bucket = aws_s3_bucket.curated.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Principal = "*", Action = "s3:GetObject", Resource = "arn:aws:s3:::acme-curated/*" },
      { Effect = "Deny", Principal = "*", Action = "s3:*", Resource = "arn:aws:s3:::acme-curated/*", Condition = { StringNotEquals = { "aws:SourceVpce" = "vpce-0123456789abcdef0" } } },
      { Effect = "Deny", Principal = "*", Action = "s3:*", Resource = "arn:aws:s3:::acme-curated/*", Condition = { Bool = { "aws:SecureTransport" = "false" } } },
    ]
  })
}

resource "aws_glue_security_configuration" "plain" { # CF-DAT-002
  name = "plain"
  encryption_configuration {
    cloudwatch_encryption { cloudwatch_encryption_mode = "DISABLED" }
    job_bookmarks_encryption { job_bookmarks_encryption_mode = "DISABLED" }
    s3_encryption { s3_encryption_mode = "SSE-S3" }
  }
}

resource "aws_kms_key" "lake" {
  enable_key_rotation = true
}

resource "aws_glue_security_configuration" "sealed" {
  name = "sealed"
  encryption_configuration {
    cloudwatch_encryption {
      cloudwatch_encryption_mode = "SSE-KMS"
      kms_key_arn                = aws_kms_key.lake.arn
    }
    job_bookmarks_encryption {
      job_bookmarks_encryption_mode = "CSE-KMS"
      kms_key_arn                   = aws_kms_key.lake.arn
    }
    s3_encryption {
      s3_encryption_mode = "SSE-KMS"
      kms_key_arn        = aws_kms_key.lake.arn
    }
  }
}

resource "aws_glue_data_catalog_encryption_settings" "plain" { # CF-DAT-002
  data_catalog_encryption_settings {
    connection_password_encryption { return_connection_password_encrypted = false }
    encryption_at_rest { catalog_encryption_mode = "DISABLED" }
  }
}

resource "aws_glue_resource_policy" "open" { # CF-SEC-009
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { AWS = "*" }, Action = "glue:GetTable", Resource = "arn:aws:glue:us-east-1:123456789012:*" }]
  })
}

resource "aws_glue_connection" "typed" { # CF-SEC-001, CF-DAT-003
  name = "typed"
  connection_properties = {
    JDBC_CONNECTION_URL = "jdbc:postgresql://db.internal/app"
    USERNAME            = "app"
    PASSWORD            = "correct-horse-9-battery"
    JDBC_ENFORCE_SSL    = "false"
  }
}

resource "aws_glue_connection" "looked_up" {
  name = "looked-up"
  connection_properties = {
    JDBC_CONNECTION_URL = "jdbc:postgresql://db.internal/app"
    SECRET_ID           = "lake/db"
    JDBC_ENFORCE_SSL    = "true"
  }
}

resource "aws_glue_job" "typed" { # CF-SEC-001
  name     = "typed"
  role_arn = "arn:aws:iam::123456789012:role/glue"
  command { script_location = "s3://acme-raw/job.py" }
  default_arguments = { "--db-password" = "correct-horse-9-battery", "--job-language" = "python" }
}

resource "aws_glue_job" "looked_up" {
  name                   = "looked-up"
  role_arn               = "arn:aws:iam::123456789012:role/glue"
  security_configuration = aws_glue_security_configuration.sealed.name
  command { script_location = "s3://acme-raw/job.py" }
  default_arguments = { "--db-password-secret" = "lake/db", "--TempDir" = "s3://acme-raw/tmp" }
}

resource "aws_lakeformation_data_lake_settings" "open" { # CF-SEC-024
  admins = ["arn:aws:iam::123456789012:role/admin"]
  create_database_default_permissions {
    permissions = ["ALL"]
    principal   = "IAM_ALLOWED_PRINCIPALS"
  }
}

resource "aws_lakeformation_data_lake_settings" "closed" {
  admins = ["arn:aws:iam::123456789012:role/admin"]
}

resource "aws_lakeformation_permissions" "everybody" { # CF-SEC-024
  principal   = "IAM_ALLOWED_PRINCIPALS"
  permissions = ["ALL"]
  database { name = "raw" }
}

resource "aws_lakeformation_permissions" "analysts" {
  principal   = "arn:aws:iam::123456789012:role/analysts"
  permissions = ["DESCRIBE"]
  database { name = "raw" }
}

resource "aws_redshift_cluster" "open" { # CF-DAT-001, CF-DAT-002, CF-DAT-014, CF-OBS-009, CF-SEC-012
  cluster_identifier  = "open"
  node_type           = "ra3.large"
  master_username     = "app"
  master_password     = "Correct-horse-9"
  publicly_accessible = true
  encrypted           = false
  skip_final_snapshot = true
}

resource "aws_redshift_cluster" "closed" {
  cluster_identifier        = "closed"
  node_type                 = "ra3.large"
  master_username           = "app"
  manage_master_password    = true
  publicly_accessible       = false
  encrypted                 = true
  final_snapshot_identifier = "closed-last"
}

resource "aws_redshift_logging" "closed" {
  cluster_identifier   = aws_redshift_cluster.closed.id
  log_destination_type = "cloudwatch"
  log_exports          = ["connectionlog", "useractivitylog", "userlog"]
}

resource "aws_redshiftserverless_namespace" "quiet" { # CF-OBS-009
  namespace_name        = "quiet"
  manage_admin_password = true
}

resource "aws_sagemaker_notebook_instance" "open" { # CF-NET-007, CF-SEC-026
  name          = "open"
  role_arn      = "arn:aws:iam::123456789012:role/notebook"
  instance_type = "ml.t3.medium"
}

resource "aws_sagemaker_notebook_instance" "closed" {
  name                   = "closed"
  role_arn               = "arn:aws:iam::123456789012:role/notebook"
  instance_type          = "ml.t3.medium"
  direct_internet_access = "Disabled"
  root_access            = "Disabled"
  subnet_id              = "subnet-0123456789abcdef0"
  security_groups        = ["sg-0123456789abcdef0"]
}

resource "aws_security_group" "masters" { # CF-NET-003
  name = "masters"
  ingress {
    from_port   = 8088
    to_port     = 8088
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_mwaa_environment" "open" { # CF-NET-009
  name                  = "open"
  dag_s3_path           = "dags/"
  execution_role_arn    = "arn:aws:iam::123456789012:role/mwaa"
  source_bucket_arn     = "arn:aws:s3:::acme-dags"
  webserver_access_mode = "PUBLIC_ONLY"
  network_configuration {
    security_group_ids = ["sg-0123456789abcdef0"]
    subnet_ids         = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  }
}

resource "aws_iam_role_policy" "analysts" { # CF-SEC-005, CF-SEC-010: a job of Glue runs with its own role
  role = "analysts"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["athena:*", "glue:*"], Resource = "*" }]
  })
}

resource "aws_iam_role_policy" "readers" {
  role = "readers"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["athena:StartQueryExecution", "athena:GetQueryResults"], Resource = "arn:aws:athena:us-east-1:123456789012:workgroup/analysts" },
      { Effect = "Allow", Action = ["lakeformation:GetDataAccess", "glue:GetTables"], Resource = "*" },
    ]
  })
}
