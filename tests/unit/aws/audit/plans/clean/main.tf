# The same kinds of things as in ../broken, with nothing to find.

resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_flow_log" "main" {
  vpc_id               = aws_vpc.main.id
  traffic_type         = "ALL"
  log_destination_type = "s3"
  log_destination      = aws_s3_bucket.files.arn
}

resource "aws_subnet" "public" {
  for_each                = { a = 1, b = 2 }
  vpc_id                  = aws_vpc.main.id
  availability_zone       = "us-east-1${each.key}"
  cidr_block              = "10.0.${each.value}.0/24"
  map_public_ip_on_launch = true
}

resource "aws_subnet" "private" {
  for_each          = { a = 11, b = 12 }
  vpc_id            = aws_vpc.main.id
  availability_zone = "us-east-1${each.key}"
  cidr_block        = "10.0.${each.value}.0/24"
}

resource "aws_nat_gateway" "each" {
  for_each          = aws_subnet.public
  subnet_id         = each.value.id
  connectivity_type = "private"
}

resource "aws_security_group" "balancer" {
  vpc_id = aws_vpc.main.id
  ingress {
    from_port        = 443
    to_port          = 443
    protocol         = "tcp"
    cidr_blocks      = ["0.0.0.0/0"]
    ipv6_cidr_blocks = ["::/0"]
  }
}

resource "aws_security_group" "app" {
  vpc_id = aws_vpc.main.id
}

resource "aws_vpc_security_group_ingress_rule" "app" {
  security_group_id            = aws_security_group.app.id
  referenced_security_group_id = aws_security_group.balancer.id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}

resource "aws_security_group" "office" {
  vpc_id = aws_vpc.main.id
}

resource "aws_security_group_rule" "ssh" {
  type              = "ingress"
  security_group_id = aws_security_group.office.id
  from_port         = 22
  to_port           = 22
  protocol          = "tcp"
  cidr_blocks       = ["203.0.113.0/24"]
}

resource "aws_security_group_rule" "out" {
  type              = "egress"
  security_group_id = aws_security_group.office.id
  from_port         = 0
  to_port           = 0
  protocol          = "-1"
  cidr_blocks       = ["0.0.0.0/0"]
}

resource "aws_instance" "host" {
  ami                    = "ami-0123456789abcdef0"
  instance_type          = "t3.micro"
  subnet_id              = aws_subnet.private["a"].id
  vpc_security_group_ids = [aws_security_group.office.id]
  root_block_device {
    encrypted = true
  }
  metadata_options {
    http_tokens = "required"
  }
}

resource "aws_launch_template" "fleet" {
  user_data = base64encode(<<-EOT
    #!/bin/sh
    export IMAGE_TAG=sha-2f9c1e7
    export DB_PASSWORD=$(aws secretsmanager get-secret-value --secret-id clean/db --query SecretString --output text)
    docker run -d -e DB_PASSWORD app
  EOT
  )
  image_id               = "ami-0123456789abcdef0"
  instance_type          = "t3.micro"
  vpc_security_group_ids = [aws_security_group.app.id]
  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_size = 20
      encrypted   = true
    }
  }
  metadata_options {
    http_tokens = "required"
  }
}

resource "aws_autoscaling_group" "fleet" {
  min_size            = 2
  max_size            = 4
  desired_capacity    = 2
  vpc_zone_identifier = [for subnet in aws_subnet.private : subnet.id]
  target_group_arns   = [aws_lb_target_group.app.arn]
  health_check_type   = "ELB"
  launch_template {
    id      = aws_launch_template.fleet.id
    version = "1"
  }
  instance_refresh {
    strategy = "Rolling"
    preferences {
      min_healthy_percentage = 50
    }
  }
}

resource "aws_ebs_volume" "data" {
  availability_zone = "us-east-1a"
  size              = 20
  encrypted         = true
}

resource "aws_db_instance" "main" {
  identifier                  = "main"
  engine                      = "postgres"
  engine_version              = "17.2"
  instance_class              = "db.t4g.micro"
  allocated_storage           = 20
  username                    = "app"
  manage_master_user_password = true
  storage_encrypted           = true
  multi_az                    = true
  deletion_protection         = true
  backup_retention_period     = 7
  final_snapshot_identifier   = "main-last"

  enabled_cloudwatch_logs_exports = ["postgresql"]
}

resource "aws_db_parameter_group" "strict" {
  name   = "strict"
  family = "mysql8.0"
  parameter {
    name  = "require_secure_transport"
    value = "ON"
  }
}

resource "aws_db_instance" "mysql" {
  identifier                  = "mysql"
  engine                      = "mysql"
  engine_version              = "8.4.3"
  instance_class              = "db.t4g.micro"
  allocated_storage           = 20
  username                    = "app"
  manage_master_user_password = true
  storage_encrypted           = true
  multi_az                    = true
  deletion_protection         = true
  backup_retention_period     = 14
  final_snapshot_identifier   = "mysql-last"

  enabled_cloudwatch_logs_exports = ["error"]
  parameter_group_name            = aws_db_parameter_group.strict.name
}

resource "aws_elasticache_replication_group" "cache" {
  replication_group_id       = "cache"
  description                = "cache"
  node_type                  = "cache.t4g.micro"
  num_cache_clusters         = 2
  automatic_failover_enabled = true
  multi_az_enabled           = true
  at_rest_encryption_enabled = true
  transit_encryption_enabled = true
  snapshot_retention_limit   = 5
}

resource "aws_s3_bucket" "files" {
  bucket = "clean-files"
}

resource "aws_s3_bucket_versioning" "files" {
  bucket = aws_s3_bucket.files.id
  versioning_configuration { status = "Enabled" }
}

resource "aws_s3_bucket_public_access_block" "files" {
  bucket                  = aws_s3_bucket.files.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "files" {
  bucket = aws_s3_bucket.files.id
  rule {
    apply_server_side_encryption_by_default { sse_algorithm = "aws:kms" }
  }
}

resource "aws_iam_role" "task" {
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }] })
}

resource "aws_iam_role_policy" "task" {
  role = aws_iam_role.task.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = "arn:aws:secretsmanager:us-east-1:123456789012:secret:clean/*" },
      { Effect = "Allow", Action = ["ecr:GetAuthorizationToken", "ssmmessages:*"], Resource = "*" },
      { Effect = "Allow", Action = "iam:PassRole", Resource = "*", Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } } },
    ]
  })
}

resource "aws_secretsmanager_secret" "jwt" {
  name = "clean/jwt"
}

resource "aws_secretsmanager_secret_rotation" "jwt" {
  secret_id           = aws_secretsmanager_secret.jwt.id
  rotation_lambda_arn = "arn:aws:lambda:us-east-1:123456789012:function:rotate"
  rotation_rules { automatically_after_days = 90 }
}

resource "aws_lb" "main" {
  name                       = "main"
  subnets                    = [for subnet in aws_subnet.public : subnet.id]
  security_groups            = [aws_security_group.balancer.id]
  idle_timeout               = 3600
  enable_deletion_protection = true
  drop_invalid_header_fields = true
  access_logs {
    bucket  = aws_s3_bucket.files.bucket
    enabled = true
  }
}

resource "aws_lb_target_group" "app" {
  name     = "app"
  port     = 8080
  protocol = "HTTP"
  vpc_id   = aws_vpc.main.id
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.main.arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    type = "redirect"
    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.main.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = "arn:aws:acm:us-east-1:123456789012:certificate/0"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.app.arn
  }
}

resource "aws_lb_listener_rule" "streams" {
  listener_arn = aws_lb_listener.https.arn
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.app.arn
  }
  condition {
    path_pattern { values = ["/socket.io/*"] }
  }
}

resource "aws_route53_record" "api" {
  zone_id = "Z0000000000000000000"
  name    = "api.example.com"
  type    = "A"
  ttl     = 60
  records = ["203.0.113.1"]
}

resource "aws_ecs_cluster" "main" {
  name = "main"
}

resource "aws_ecs_task_definition" "api" {
  family                   = "api"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = "arn:aws:iam::123456789012:role/agent"
  task_role_arn            = aws_iam_role.task.arn
  container_definitions = jsonencode([{
    name             = "api"
    image            = "example.com/api:2f9c1e7"
    environment      = [{ name = "LOG_LEVEL", value = "info" }]
    logConfiguration = { logDriver = "awslogs", options = { awslogs-group = "/api", awslogs-region = "us-east-1", awslogs-stream-prefix = "api" } }
    secrets          = [{ name = "DATABASE_URL", valueFrom = "arn:aws:secretsmanager:us-east-1:123456789012:secret:clean/db" }]
  }])
}

resource "aws_ecs_service" "api" {
  name            = "api"
  cluster         = aws_ecs_cluster.main.id
  task_definition = aws_ecs_task_definition.api.arn
  desired_count   = 2
  launch_type     = "FARGATE"
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
  network_configuration {
    subnets         = [for subnet in aws_subnet.private : subnet.id]
    security_groups = [aws_security_group.app.id]
  }
  load_balancer {
    target_group_arn = aws_lb_target_group.app.arn
    container_name   = "api"
    container_port   = 8080
  }
}

resource "aws_ecr_repository" "api" {
  name                 = "api"
  image_tag_mutability = "IMMUTABLE"
  image_scanning_configuration { scan_on_push = true }
}

resource "aws_ecr_lifecycle_policy" "api" {
  repository = aws_ecr_repository.api.name
  policy = jsonencode({ rules = [{
    rulePriority = 1
    selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 10 }
    action       = { type = "expire" }
  }] })
}

resource "aws_cloudwatch_log_group" "api" {
  name              = "/api"
  retention_in_days = 30
}

resource "aws_sns_topic" "oncall" {
  name = "oncall"
}

resource "aws_sns_topic_subscription" "oncall" {
  topic_arn = aws_sns_topic.oncall.arn
  protocol  = "email"
  endpoint  = "oncall@example.com"
}

resource "aws_cloudwatch_metric_alarm" "balancer" {
  for_each            = { HTTPCode_Target_5XX_Count = 10, UnHealthyHostCount = 0 }
  alarm_name          = each.key
  namespace           = "AWS/ApplicationELB"
  metric_name         = each.key
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value
  period              = 60
  evaluation_periods  = 2
  alarm_actions       = [local.topics["critical"]] # a plan does not say what a local is
}

resource "aws_cloudwatch_metric_alarm" "cpu" {
  alarm_name          = "cpu"
  namespace           = "AWS/ECS"
  metric_name         = "CPUUtilization"
  statistic           = "Average"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 80
  period              = 60
  evaluation_periods  = 5
  alarm_actions       = [aws_sns_topic.oncall.arn]
}

resource "aws_s3_bucket" "logs" {
  bucket_prefix = "clean-logs-"
}

resource "aws_s3_bucket_versioning" "logs" {
  bucket = local.logs
  versioning_configuration { status = "Enabled" }
}

resource "aws_s3_bucket_public_access_block" "logs" {
  bucket                  = local.logs
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "logs" {
  bucket = local.logs
  rule {
    apply_server_side_encryption_by_default { sse_algorithm = "AES256" }
  }
}

resource "aws_launch_template" "one" {
  image_id      = "ami-0123456789abcdef0"
  instance_type = "t3.micro"
  metadata_options {
    http_tokens = "required"
  }
}

resource "aws_instance" "one" { # what it does not say itself, its template does
  subnet_id = aws_subnet.private["a"].id
  launch_template {
    id = aws_launch_template.one.id
  }
  root_block_device {
    encrypted = true
  }
}

resource "aws_instance" "other" {
  subnet_id = aws_subnet.private["b"].id
  launch_template {
    id = aws_launch_template.fleet.id
  }
}

locals {
  topics = { critical = aws_sns_topic.oncall.arn }
  logs   = aws_s3_bucket.logs.id
}

resource "aws_budgets_budget" "month" {
  name         = "month"
  budget_type  = "COST"
  limit_amount = "100"
  limit_unit   = "USD"
  time_unit    = "MONTHLY"
}

resource "aws_iam_role" "jobs" { # one repository's main branch
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = { "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com" }
        StringLike   = { "token.actions.githubusercontent.com:sub" = "repo:acme/shop:ref:refs/heads/main" }
      }
    }]
  })
}

resource "aws_sqs_queue" "orders" {
  name = "orders"
}

resource "aws_sqs_queue_policy" "orders" { # everybody, as far as this account's topic asks for them
  queue_url = aws_sqs_queue.orders.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow", Principal = "*", Action = "sqs:SendMessage", Resource = "*"
      Condition = { ArnEquals = { "aws:SourceArn" = "arn:aws:sns:us-east-1:123456789012:orders" } }
    }]
  })
}

resource "aws_kms_key" "data" { # its `*` is itself
  enable_key_rotation = true
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Principal = { AWS = "arn:aws:iam::123456789012:root" }, Action = "kms:*", Resource = "*" },
      {
        Effect    = "Allow", Principal = { AWS = "*" }, Action = "kms:Decrypt", Resource = "*"
        Condition = { StringEquals = { "kms:CallerAccount" = "123456789012" } }
      },
    ]
  })
}

data "aws_iam_policy_document" "key" {
  statement {
    actions   = ["kms:*"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::123456789012:root", aws_iam_role.jobs.arn]
    }
  }
}

resource "aws_kms_key" "late" {
  enable_key_rotation = true
  policy              = data.aws_iam_policy_document.key.json
}

resource "aws_lambda_permission" "bucket" {
  function_name = "resize"
  action        = "lambda:InvokeFunction"
  principal     = "s3.amazonaws.com"
  source_arn    = aws_s3_bucket.files.arn
}

resource "aws_lambda_function_url" "resize" {
  function_name      = "resize"
  authorization_type = "AWS_IAM"
}

resource "aws_eks_cluster" "main" {
  name                      = "main"
  enabled_cluster_log_types = ["audit"]
  role_arn                  = "arn:aws:iam::123456789012:role/eks"
  vpc_config {
    subnet_ids          = [for subnet in aws_subnet.private : subnet.id]
    public_access_cidrs = ["203.0.113.0/24"]
  }
}

resource "aws_cloudtrail" "calls" {
  name                       = "calls"
  s3_bucket_name             = "calls"
  enable_log_file_validation = true
  is_multi_region_trail      = true
}

resource "aws_ssm_parameter" "level" { # no secret
  name  = "/clean/LOG_LEVEL"
  type  = "String"
  value = "info"
}

resource "aws_s3_bucket_policy" "files" { # what it says is known only after the apply
  bucket = aws_s3_bucket.files.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Deny", Principal = "*", Action = "s3:*", Resource = [aws_s3_bucket.files.arn, "${aws_s3_bucket.files.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

data "aws_iam_policy_document" "logs" {
  statement {
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.logs.arn, "${aws_s3_bucket.logs.arn}/*"]
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
  bucket = aws_s3_bucket.logs.id
  policy = data.aws_iam_policy_document.logs.json
}

resource "aws_dynamodb_table" "orders" {
  name                        = "orders"
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = true
  hash_key                    = "id"
  attribute {
    name = "id"
    type = "S"
  }
  point_in_time_recovery { enabled = true }
}

resource "aws_dynamodb_table" "locks" { # of Terraform's state: each lasts as long as an apply
  name         = "locks"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "LockID"
  attribute {
    name = "LockID"
    type = "S"
  }
}

resource "aws_sns_topic_policy" "of_a_bucket" {
  arn    = aws_sns_topic.oncall.arn
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "s3.amazonaws.com" }, Action = "sns:Publish", Resource = "*", Condition = { StringEquals = { "aws:SourceAccount" = "123456789012" } } }] })
}

resource "aws_networkfirewall_firewall_policy" "rules" {
  name = "rules"
  firewall_policy {
    stateless_default_actions          = ["aws:forward_to_sfe"]
    stateless_fragment_default_actions = ["aws:drop"]
  }
}

resource "aws_sqs_queue" "failed" {
  name = "failed"
}

resource "aws_sqs_queue" "mails" {
  name           = "mails"
  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.failed.arn, maxReceiveCount = 5 })
}

resource "aws_lambda_event_source_mapping" "mails" {
  event_source_arn = aws_sqs_queue.mails.arn
  function_name    = "mail"
}

resource "aws_storagegateway_smb_file_share" "staff" {
  authentication = "ActiveDirectory"
  gateway_arn    = "arn:aws:storagegateway:us-east-1:123456789012:gateway/sgw-12345678"
  location_arn   = "arn:aws:s3:::clean-share"
  role_arn       = "arn:aws:iam::123456789012:role/share"
}

resource "aws_backup_plan" "daily" {
  name = "daily"
  rule {
    rule_name         = "daily"
    target_vault_name = aws_backup_vault.locked.name
  }
}

resource "aws_backup_selection" "daily" {
  plan_id      = aws_backup_plan.daily.id
  name         = "all"
  iam_role_arn = "arn:aws:iam::123456789012:role/backup"
  resources    = ["*"]
}

resource "aws_backup_vault" "locked" {
  name = "locked"
}

resource "aws_backup_vault_lock_configuration" "locked" {
  backup_vault_name  = aws_backup_vault.locked.name
  min_retention_days = 7
}

resource "aws_ec2_transit_gateway" "asking" {}

resource "aws_apigatewayv2_route" "asked" {
  api_id             = "a1b2c3d4e5"
  route_key          = "GET /orders"
  authorization_type = "AWS_IAM"
}

resource "aws_apigatewayv2_stage" "heard" {
  api_id = "a1b2c3d4e5"
  name   = "heard"
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.api.arn
    format          = "$context.requestId"
  }
}

resource "aws_iam_role" "with_an_id" {
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "464622532012" }, Condition = { StringEquals = { "sts:ExternalId" = "5f0c6a" } } }] })
}

resource "aws_iam_access_key" "sealed" {
  user    = "ci"
  pgp_key = "keybase:ops"
}

resource "aws_cognito_user_pool" "users" {
  name                = "users"
  mfa_configuration   = "OPTIONAL"
  deletion_protection = "ACTIVE"
  software_token_mfa_configuration { enabled = true }
}

resource "aws_iot_policy" "own" {
  name   = "own"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "iot:Connect", Resource = "arn:aws:iot:us-east-1:123456789012:client/$${iot:Connection.Thing.ThingName}" }] })
}

resource "aws_lakeformation_permissions" "analysts" {
  principal   = "arn:aws:iam::123456789012:role/analysts"
  permissions = ["DESCRIBE"]
  database { name = "raw" }
}

resource "aws_ram_resource_share" "inside" {
  name                      = "inside"
  allow_external_principals = false
}

resource "aws_sagemaker_notebook_instance" "closed" {
  name                   = "closed"
  role_arn               = "arn:aws:iam::123456789012:role/notebook"
  instance_type          = "ml.t3.medium"
  direct_internet_access = "Disabled"
  root_access            = "Disabled"
  subnet_id              = aws_subnet.private["a"].id
}

resource "aws_vpn_connection" "new" {
  customer_gateway_id  = "cgw-0123456789abcdef0"
  transit_gateway_id   = aws_ec2_transit_gateway.asking.id
  type                 = "ipsec.1"
  tunnel1_ike_versions = ["ikev2"]
  tunnel1_log_options {
    cloudwatch_log_options {
      log_enabled   = true
      log_group_arn = aws_cloudwatch_log_group.api.arn
    }
  }
}
