# Streams of data.

resource "aws_kinesis_stream" "plain" { # CF-DAT-016
  name        = "plain"
  shard_count = 1
}

resource "aws_kinesis_stream" "sealed" {
  name            = "sealed"
  shard_count     = 1
  encryption_type = "KMS"
  kms_key_id      = "alias/aws/kinesis"
}

resource "aws_kinesis_resource_policy" "open" { # CF-SEC-009
  resource_arn = aws_kinesis_stream.plain.arn
  policy       = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = "*", Action = "kinesis:GetRecords", Resource = "*" }] })
}

resource "aws_kinesis_resource_policy" "partner" {
  resource_arn = aws_kinesis_stream.sealed.arn
  policy       = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { AWS = "222233334444" }, Action = "kinesis:GetRecords", Resource = "*" }] })
}

resource "aws_kinesis_firehose_delivery_stream" "plain" { # CF-DAT-016
  name        = "plain"
  destination = "extended_s3"
  extended_s3_configuration {
    role_arn   = "arn:aws:iam::123456789012:role/firehose"
    bucket_arn = "arn:aws:s3:::acme-events"
  }
}

resource "aws_kinesis_firehose_delivery_stream" "of_a_stream" { # what it keeps is the stream's
  name        = "of-a-stream"
  destination = "extended_s3"
  kinesis_source_configuration {
    kinesis_stream_arn = aws_kinesis_stream.sealed.arn
    role_arn           = "arn:aws:iam::123456789012:role/firehose"
  }
  extended_s3_configuration {
    role_arn   = "arn:aws:iam::123456789012:role/firehose"
    bucket_arn = "arn:aws:s3:::acme-events"
  }
}

resource "aws_kinesis_firehose_delivery_stream" "typed" { # CF-SEC-012
  name        = "typed"
  destination = "http_endpoint"
  server_side_encryption { enabled = true }
  http_endpoint_configuration {
    url        = "https://collector.example.com"
    name       = "collector"
    access_key = "correct-horse-9-battery"
    role_arn   = "arn:aws:iam::123456789012:role/firehose"
    s3_configuration {
      role_arn   = "arn:aws:iam::123456789012:role/firehose"
      bucket_arn = "arn:aws:s3:::acme-events"
    }
  }
}

resource "aws_lambda_event_source_mapping" "stuck" { # CF-AVL-011
  event_source_arn  = aws_kinesis_stream.sealed.arn
  function_name     = "arn:aws:lambda:us-east-1:123456789012:function:count"
  starting_position = "LATEST"
}

resource "aws_lambda_event_source_mapping" "moves_on" {
  event_source_arn               = aws_kinesis_stream.sealed.arn
  function_name                  = "arn:aws:lambda:us-east-1:123456789012:function:count"
  starting_position              = "LATEST"
  maximum_retry_attempts         = 3
  bisect_batch_on_function_error = true
}

resource "aws_msk_cluster" "open" { # CF-DAT-021, CF-DAT-003, CF-OBS-009
  cluster_name           = "open"
  kafka_version          = "3.8.x"
  number_of_broker_nodes = 3
  broker_node_group_info {
    instance_type   = "kafka.m7g.large"
    client_subnets  = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]
    security_groups = ["sg-0123456789abcdef0"]
  }
  encryption_info {
    encryption_in_transit {
      client_broker = "TLS_PLAINTEXT"
      in_cluster    = false
    }
  }
}

resource "aws_msk_cluster" "both" { # CF-DAT-021
  cluster_name           = "both"
  kafka_version          = "3.8.x"
  number_of_broker_nodes = 3
  broker_node_group_info {
    instance_type   = "kafka.m7g.large"
    client_subnets  = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]
    security_groups = ["sg-0123456789abcdef0"]
  }
  client_authentication {
    unauthenticated = true
    sasl { iam = true }
  }
  logging_info {
    broker_logs {
      cloudwatch_logs {
        enabled   = true
        log_group = "/msk"
      }
    }
  }
}

resource "aws_msk_cluster" "closed" {
  cluster_name           = "closed"
  kafka_version          = "3.8.x"
  number_of_broker_nodes = 3
  broker_node_group_info {
    instance_type   = "kafka.m7g.large"
    client_subnets  = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]
    security_groups = ["sg-0123456789abcdef0"]
  }
  client_authentication {
    sasl { scram = true }
  }
  logging_info {
    broker_logs {
      cloudwatch_logs {
        enabled   = true
        log_group = "/msk"
      }
    }
  }
}

resource "aws_opensearch_domain" "quiet" { # CF-OBS-009, CF-NET-009, CF-DAT-002, CF-DAT-003
  domain_name = "quiet"
}

resource "aws_opensearch_domain" "heard" {
  domain_name = "heard"
  encrypt_at_rest { enabled = true }
  node_to_node_encryption { enabled = true }
  vpc_options { subnet_ids = ["subnet-0123456789abcdef0"] }
  domain_endpoint_options {
    enforce_https       = true
    tls_security_policy = "Policy-Min-TLS-1-2-2019-07"
  }
  log_publishing_options {
    log_type                 = "AUDIT_LOGS"
    cloudwatch_log_group_arn = "arn:aws:logs:us-east-1:123456789012:log-group:/search"
  }
}

resource "aws_security_group" "brokers" { # CF-NET-003
  name = "brokers"
  ingress {
    from_port   = 9096
    to_port     = 9096
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "consumers" {
  name = "consumers"
  ingress {
    from_port   = 9098
    to_port     = 9098
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
}

resource "aws_memorydb_user" "closed" {
  user_name     = "open"
  access_string = "on ~* &* +@all"
  authentication_mode { type = "iam" }
}

resource "aws_elasticache_user" "open" { # CF-DAT-021
  user_id              = "open"
  user_name            = "open"
  engine               = "redis"
  access_string        = "on ~* +@all"
  no_password_required = true
}

resource "aws_elasticache_user" "closed" {
  user_id       = "closed"
  user_name     = "closed"
  engine        = "redis"
  access_string = "on ~app:* +@read"
  authentication_mode { type = "iam" }
}

resource "aws_dms_endpoint" "plain" { # CF-DAT-003, CF-SEC-012
  endpoint_id   = "plain"
  endpoint_type = "source"
  engine_name   = "postgres"
  server_name   = "db.internal"
  database_name = "app"
  port          = 5432
  username      = "app"
  password      = "correct-horse-9-battery"
  ssl_mode      = "none"
}
