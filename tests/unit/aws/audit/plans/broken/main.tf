# Breaks every rule of the audit that looks at plans, each at least once. The comment names the rule.

resource "aws_vpc" "main" { # CF-NET-008
  cidr_block = "10.0.0.0/16"
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

resource "aws_nat_gateway" "only" { # CF-NET-006
  subnet_id         = aws_subnet.public["a"].id
  connectivity_type = "private"
}

resource "aws_security_group" "balancer" {
  vpc_id = aws_vpc.main.id
  ingress {
    from_port   = 8443
    to_port     = 8443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"] # no finding: a balancer is there to be open
  }
}

resource "aws_security_group" "hosts" { # CF-NET-001, inline; all ports are CF-NET-002 and CF-NET-003 too
  vpc_id = aws_vpc.main.id
  ingress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group_rule" "ssh" { # CF-NET-001
  type              = "ingress"
  security_group_id = aws_security_group.odd.id
  from_port         = 20
  to_port           = 25
  protocol          = "tcp"
  ipv6_cidr_blocks  = ["::/0"]
}

resource "aws_vpc_security_group_ingress_rule" "metrics" { # CF-NET-002
  security_group_id = aws_security_group.odd.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 9100
  to_port           = 9100
}

resource "aws_vpc_security_group_ingress_rule" "postgres" { # CF-NET-003
  security_group_id = aws_security_group.odd.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 5432
  to_port           = 5432
}

resource "aws_security_group" "odd" { # CF-NET-004
  vpc_id = aws_vpc.main.id
  ingress {
    from_port   = 4000
    to_port     = 4010
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "app" { # CF-NET-005
  vpc_id = aws_vpc.main.id
  ingress {
    from_port   = 8080
    to_port     = 8080
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/16"]
  }
}

resource "aws_instance" "host" { # CF-NET-007, CF-DAT-013, CF-SEC-007
  ami                         = "ami-0123456789abcdef0"
  instance_type               = "t3.micro"
  subnet_id                   = aws_subnet.public["a"].id
  vpc_security_group_ids      = [aws_security_group.hosts.id]
  associate_public_ip_address = true
  root_block_device {
    encrypted = false
  }
}

resource "aws_launch_template" "fleet" { # CF-DAT-013, CF-NET-007, CF-SEC-001, CF-SEC-007
  user_data = base64encode(<<-EOT
    #!/bin/sh
    export IMAGE_TAG=sha-2f9c1e7
    export DB_PASSWORD=hunter2
    docker run -d app
  EOT
  )
  image_id      = "ami-0123456789abcdef0"
  instance_type = "t3.micro"
  network_interfaces {
    associate_public_ip_address = true
    security_groups             = [aws_security_group.app.id]
  }
  block_device_mappings {
    device_name = "/dev/xvda"
    ebs { volume_size = 20 }
  }
}

resource "aws_autoscaling_group" "fleet" { # CF-AVL-001, CF-AVL-002, CF-AVL-009
  min_size            = 1
  max_size            = 2
  desired_capacity    = 1
  vpc_zone_identifier = [for subnet in aws_subnet.private : subnet.id]
  target_group_arns   = [aws_lb_target_group.app.arn]
  launch_template {
    id      = aws_launch_template.fleet.id
    version = "1"
  }
  instance_refresh {
    strategy = "Rolling"
    preferences {
      min_healthy_percentage = 100
      max_healthy_percentage = 150
    }
  }
}

resource "aws_ebs_volume" "plain" { # CF-DAT-013
  availability_zone = "us-east-1a"
  size              = 20
}

resource "aws_db_instance" "main" { # CF-DAT-001 to 006, 012, 014
  identifier                  = "main"
  engine                      = "postgres"
  engine_version              = "14.12"
  instance_class              = "db.t4g.micro"
  allocated_storage           = 20
  username                    = "app"
  manage_master_user_password = true
  publicly_accessible         = true
  backup_retention_period     = 0
  skip_final_snapshot         = true
  auto_minor_version_upgrade  = false # CF-DAT-018
}

resource "aws_db_instance" "replica" { # no finding of its own: what it copies has them
  identifier          = "replica"
  replicate_source_db = aws_db_instance.main.identifier
  instance_class      = "db.t4g.micro"
  skip_final_snapshot = true
}

resource "aws_db_parameter_group" "lax" {
  name   = "lax"
  family = "postgres16"
  parameter {
    name  = "rds.force_ssl"
    value = "0"
  }
}

resource "aws_db_instance" "short" { # CF-DAT-003 by its parameters, CF-DAT-005
  identifier                  = "short"
  engine                      = "postgres"
  engine_version              = "16.4"
  instance_class              = "db.t4g.micro"
  allocated_storage           = 20
  username                    = "app"
  manage_master_user_password = true
  storage_encrypted           = true
  multi_az                    = true
  deletion_protection         = true
  backup_retention_period     = 3
  final_snapshot_identifier   = "short-last"
  parameter_group_name        = aws_db_parameter_group.lax.name
}

resource "aws_elasticache_replication_group" "cache" { # CF-DAT-002, 003, 007, 008
  replication_group_id = "cache"
  description          = "cache"
  node_type            = "cache.t4g.micro"
}

resource "aws_elasticache_cluster" "lone" { # CF-DAT-002, 007, 008
  cluster_id      = "lone"
  engine          = "redis"
  node_type       = "cache.t4g.micro"
  num_cache_nodes = 1
}

resource "aws_s3_bucket" "open" { # CF-DAT-009, 010, 011
  bucket = "broken-open"
}

resource "aws_s3_bucket" "half" {
  bucket = "broken-half"
}

resource "aws_s3_bucket_versioning" "half" { # CF-DAT-009: suspended
  bucket = aws_s3_bucket.half.id
  versioning_configuration { status = "Suspended" }
}

resource "aws_s3_bucket_public_access_block" "half" { # CF-DAT-010: not all of it
  bucket            = aws_s3_bucket.half.id
  block_public_acls = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "half" {
  bucket = aws_s3_bucket.half.id
  rule {
    apply_server_side_encryption_by_default { sse_algorithm = "AES256" }
  }
}

resource "aws_iam_role" "admin" { # CF-SEC-003, by AWS's own policy
  assume_role_policy  = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }] })
  managed_policy_arns = ["arn:aws:iam::aws:policy/AdministratorAccess"]
}

resource "aws_iam_role_policy_attachment" "power" { # CF-SEC-005
  role       = aws_iam_role.admin.name
  policy_arn = "arn:aws:iam::aws:policy/PowerUserAccess"
}

resource "aws_iam_role_policy" "everything" { # CF-SEC-003
  role   = aws_iam_role.admin.id
  policy = jsonencode({ Version = "2012-10-17", Statement = { Effect = "Allow", Action = "*", Resource = "*" } })
}

resource "aws_iam_policy" "execution" { # CF-SEC-004
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["logs:PutLogEvents", "secretsmanager:GetSecretValue"], Resource = "*" },
      { Effect = "Deny", Action = "s3:*", Resource = "*" },
    ]
  })
}

data "aws_iam_policy_document" "deploy" {
  statement { # CF-SEC-005
    actions   = ["s3:*"]
    resources = ["*"]
  }
  statement { # CF-SEC-006
    actions   = ["iam:Pass*"]
    resources = ["*"]
  }
}

resource "aws_iam_policy" "deploy" {
  policy = data.aws_iam_policy_document.deploy.json
}

data "aws_iam_policy_document" "late" { # CF-SEC-004, in a document that is known only in part
  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = ["*"]
  }
  statement {
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.open.arn}/*"]
  }
}

resource "aws_iam_policy" "late" {
  policy = data.aws_iam_policy_document.late.json
}

resource "aws_secretsmanager_secret" "jwt" { # CF-SEC-002
  name = "broken/jwt"
}

resource "aws_lb" "main" { # CF-AVL-004, CF-AVL-008, CF-OBS-001, CF-OBS-002, CF-OBS-006
  name            = "main"
  subnets         = [for subnet in aws_subnet.public : subnet.id]
  security_groups = [aws_security_group.balancer.id]
}

resource "aws_lb_target_group" "app" {
  name     = "app"
  port     = 8080
  protocol = "HTTP"
  vpc_id   = aws_vpc.main.id
}

resource "aws_lb_listener" "http" { # CF-TLS-001
  load_balancer_arn = aws_lb.main.arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.app.arn
  }
}

resource "aws_lb_listener" "https" { # CF-TLS-002
  load_balancer_arn = aws_lb.main.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS-1-1-2017-01"
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
    path_pattern { values = ["/api/*", "/ws/*"] }
  }
}

resource "aws_route53_record" "api" { # CF-TLS-004
  zone_id = "Z0000000000000000000"
  name    = "api.example.com"
  type    = "A"
  ttl     = 86400
  records = ["203.0.113.1"]
}

resource "aws_ecs_cluster" "main" {
  name = "main"
}

resource "aws_ecs_task_definition" "api" { # CF-AVL-007, CF-IMG-004, CF-SEC-001, CF-SEC-014, CF-OBS-008
  family                   = "api"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 4096
  execution_role_arn       = "arn:aws:iam::123456789012:role/tasks"
  task_role_arn            = "arn:aws:iam::123456789012:role/tasks"
  container_definitions = jsonencode([{
    name  = "api"
    image = "example.com/api:latest"
    environment = [
      { name = "LOG_LEVEL", value = "info" },
      { name = "DATABASE_URL", value = "postgres://app:hunter2@db.internal:5432/app" },
    ]
  }])
}

resource "aws_ecs_service" "api" { # CF-AVL-001, CF-AVL-002, CF-AVL-010, CF-NET-007
  name                               = "api"
  cluster                            = aws_ecs_cluster.main.id
  task_definition                    = aws_ecs_task_definition.api.arn
  desired_count                      = 1
  launch_type                        = "FARGATE"
  deployment_minimum_healthy_percent = 50
  deployment_maximum_percent         = 150
  network_configuration {
    subnets          = [for subnet in aws_subnet.private : subnet.id]
    security_groups  = [aws_security_group.app.id]
    assign_public_ip = true
  }
  load_balancer {
    target_group_arn = aws_lb_target_group.app.arn
    container_name   = "api"
    container_port   = 8080
  }
}

resource "aws_ecr_repository" "api" { # CF-IMG-001, 002, 003
  name = "api"
}

resource "aws_cloudwatch_log_group" "api" { # CF-OBS-004
  name = "/api"
}

resource "aws_cloudwatch_log_group" "day" { # CF-OBS-005
  name              = "/day"
  retention_in_days = 1
}

resource "aws_sns_topic" "nobody" {
  name = "nobody"
}

resource "aws_cloudwatch_metric_alarm" "silent" { # CF-OBS-003
  alarm_name          = "silent"
  namespace           = "AWS/ECS"
  metric_name         = "CPUUtilization"
  statistic           = "Average"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 80
  period              = 60
  evaluation_periods  = 5
}

resource "aws_cloudwatch_metric_alarm" "unheard" { # CF-OBS-003
  alarm_name          = "unheard"
  namespace           = "AWS/ECS"
  metric_name         = "MemoryUtilization"
  statistic           = "Average"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 80
  period              = 60
  evaluation_periods  = 5
  alarm_actions       = [aws_sns_topic.nobody.arn]
}

resource "aws_iam_role" "strangers" { # CF-SEC-008, any account
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { AWS = "*" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role" "any_job" { # CF-SEC-008, anybody at GitHub
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = { StringLike = { "token.actions.githubusercontent.com:sub" = "repo:*" } }
    }]
  })
}

resource "aws_sqs_queue" "orders" { # CF-DAT-016
  name                    = "orders"
  sqs_managed_sse_enabled = false
}

resource "aws_sqs_queue_policy" "orders" { # CF-SEC-009, a condition that keeps nobody out
  queue_url = aws_sqs_queue.orders.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow", Principal = "*", Action = "sqs:SendMessage", Resource = "*"
      Condition = { StringNotEquals = { "aws:SourceAccount" = "123456789012" } }
    }]
  })
}

data "aws_iam_policy_document" "late_topic" {
  statement {
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.nobody.arn]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
}

resource "aws_sns_topic_policy" "nobody" { # CF-SEC-009, known after the apply
  arn    = aws_sns_topic.nobody.arn
  policy = data.aws_iam_policy_document.late_topic.json
}

resource "aws_lambda_permission" "all" { # CF-SEC-009
  function_name = "resize"
  action        = "lambda:InvokeFunction"
  principal     = "*"
}

resource "aws_iam_user_policy" "climber" { # CF-SEC-010
  user = "ci"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["iam:Create*", "sts:assumerole"], Resource = "*" }]
  })
}

resource "aws_kms_key" "old" { # CF-SEC-011
  description = "old"
}

resource "aws_mq_broker" "queue" { # CF-SEC-012, in a block; CF-DAT-001
  broker_name         = "queue"
  engine_type         = "RabbitMQ"
  engine_version      = "3.13"
  host_instance_type  = "mq.t3.micro"
  publicly_accessible = true
  user {
    username = "app"
    password = "correct-horse-9-battery"
  }
}

resource "aws_ssm_parameter" "token" { # CF-SEC-012, readable
  name  = "/broken/API_TOKEN"
  type  = "String"
  value = "correct-horse-9-battery"
}

resource "aws_ecs_task_definition" "builder" { # CF-SEC-013, CF-SEC-001 in a command
  family = "builder"
  container_definitions = jsonencode([{
    name       = "builder"
    image      = "example.com/builder:1"
    privileged = true
    command    = ["server", "--admin-password", "correct-horse-9-battery"]
  }])
  volume {
    name      = "docker"
    host_path = "/var/run/docker.sock"
  }
}

resource "aws_cloudtrail" "calls" { # CF-ACC-003
  name           = "calls"
  s3_bucket_name = "calls"
}

resource "aws_eks_cluster" "main" { # CF-NET-009
  name     = "main"
  role_arn = "arn:aws:iam::123456789012:role/eks"
  vpc_config {
    subnet_ids = [for subnet in aws_subnet.private : subnet.id]
  }
}

resource "aws_lambda_function_url" "resize" { # CF-NET-009
  function_name      = "resize"
  authorization_type = "NONE"
}

resource "aws_s3_bucket_acl" "open" { # CF-DAT-015
  bucket = aws_s3_bucket.open.id
  acl    = "public-read"
}

resource "aws_s3_bucket_policy" "open" { # CF-DAT-015
  bucket = "shared-with-everybody"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { AWS = "*" }, Action = "s3:GetObject", Resource = "arn:aws:s3:::shared-with-everybody/*" }]
  })
}

resource "aws_opensearch_domain" "search" { # CF-DAT-002, CF-DAT-003
  domain_name = "search"
}

resource "aws_instance" "disks" { # CF-DAT-013, a disk beside its root; CF-SEC-001, a script that the plan hashes
  ami           = "ami-0123456789abcdef0"
  instance_type = "t3.micro"
  subnet_id     = aws_subnet.private["a"].id
  user_data     = "#!/bin/sh\nexport DB_PASSWORD=correct-horse-9-battery\n"
  metadata_options { http_tokens = "required" }
  root_block_device { encrypted = true }
  ebs_block_device {
    device_name = "/dev/sdf"
    encrypted   = false
  }
}

resource "aws_vpc_security_group_ingress_rule" "halves" { # CF-NET-003: two of these are the world
  for_each          = toset(["0.0.0.0/1", "128.0.0.0/1"])
  security_group_id = aws_security_group.odd.id
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 2049
  to_port           = 2049
}

resource "aws_lb_listener" "refuses" { # no finding of its own
  load_balancer_arn = aws_lb.main.arn
  port              = 8080
  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener_rule" "plain" { # CF-TLS-001, behind a default that forwards nobody
  listener_arn = aws_lb_listener.refuses.arn
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.app.arn
  }
  condition {
    path_pattern { values = ["/*"] }
  }
}

resource "aws_rds_cluster" "old" { # CF-DAT-017
  cluster_identifier      = "old"
  engine                  = "aurora-postgresql"
  engine_version          = "13.18"
  storage_encrypted       = true
  backup_retention_period = 7
  deletion_protection     = true
}
# CF-CST-001: there is no aws_budgets_budget.

resource "aws_dynamodb_table" "orders" { # CF-DAT-019
  name         = "orders"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"
  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_codebuild_project" "quiet" { # CF-OBS-008
  name         = "quiet"
  service_role = "arn:aws:iam::123456789012:role/builds"
  artifacts { type = "NO_ARTIFACTS" }
  environment {
    compute_type = "BUILD_GENERAL1_SMALL"
    image        = "aws/codebuild/standard:7.0"
    type         = "LINUX_CONTAINER"
  }
  source {
    type      = "NO_SOURCE"
    buildspec = "version: 0.2"
  }
  logs_config {
    cloudwatch_logs { status = "DISABLED" }
  }
}

resource "aws_instance" "handed" { # CF-NET-007 by its subnet
  ami           = "ami-0123456789abcdef0"
  instance_type = "t3.micro"
  subnet_id     = aws_subnet.public["b"].id
  root_block_device { encrypted = true }
  metadata_options { http_tokens = "required" }
}

resource "aws_guardduty_detector" "off" { # CF-ACC-010
  enable = false
}

resource "aws_iam_account_password_policy" "weak" { # CF-ACC-006
  minimum_password_length = 8
}

resource "aws_sns_topic_policy" "of_any_account" { # CF-SEC-015
  arn    = aws_sns_topic.nobody.arn
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "s3.amazonaws.com" }, Action = "sns:Publish", Resource = "*" }] })
}

resource "aws_iam_role" "any_caller" { # CF-SEC-016
  name = "any-caller"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
      Condition = { StringEquals = { "token.actions.githubusercontent.com:job_workflow_ref" = "acme/flows/.github/workflows/deploy.yml@refs/heads/main" } }
    }]
  })
}

resource "aws_networkfirewall_firewall_policy" "open" { # CF-NET-011
  name = "open"
  firewall_policy {
    stateless_default_actions          = ["aws:pass"]
    stateless_fragment_default_actions = ["aws:drop"]
  }
}

resource "aws_lambda_event_source_mapping" "orders" {
  event_source_arn = aws_sqs_queue.orders.arn # CF-AVL-011: the queue has none for what fails
  function_name    = "resize"
}

resource "aws_storagegateway_smb_file_share" "guests" { # CF-DAT-021
  authentication = "GuestAccess"
  gateway_arn    = "arn:aws:storagegateway:us-east-1:123456789012:gateway/sgw-12345678"
  location_arn   = "arn:aws:s3:::broken-share"
  role_arn       = "arn:aws:iam::123456789012:role/share"
}

resource "aws_backup_plan" "nothing" { # CF-DAT-022
  name = "nothing"
  rule {
    rule_name         = "daily"
    target_vault_name = aws_backup_vault.loose.name
  }
}

resource "aws_backup_vault" "loose" { # CF-DAT-023, CF-DAT-024
  name          = "loose"
  force_destroy = true
}

resource "aws_ec2_transit_gateway" "open" { # CF-NET-012
  auto_accept_shared_attachments = "enable"
}

resource "aws_apigatewayv2_route" "unasked" { # CF-NET-013
  api_id    = "a1b2c3d4e5"
  route_key = "GET /orders"
}

resource "aws_apigatewayv2_stage" "traced" { # CF-OBS-006, CF-OBS-010
  api_id = "a1b2c3d4e5"
  name   = "traced"
  default_route_settings { data_trace_enabled = true }
}

resource "aws_iam_policy" "decrypts" { # CF-SEC-017
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "kms:Decrypt", Resource = "*" }] })
}

resource "aws_iam_role" "for_others" { # CF-SEC-018, CF-SEC-019
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = ["464622532012", "999988887777"] } }] })
}

resource "aws_iam_access_key" "ci" { # CF-SEC-020
  user = "ci"
}

resource "aws_secretsmanager_secret_version" "jwt" { # CF-SEC-021
  secret_id     = aws_secretsmanager_secret.jwt.id
  secret_string = aws_iam_access_key.ci.secret
}

resource "aws_cognito_user_pool" "users" { # CF-SEC-022, CF-DAT-012
  name = "users"
}

resource "aws_iot_policy" "devices" { # CF-SEC-023
  name   = "devices"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "iot:*", Resource = "*" }] })
}

resource "aws_lakeformation_permissions" "everybody" { # CF-SEC-024
  principal   = "IAM_ALLOWED_PRINCIPALS"
  permissions = ["ALL"]
  database { name = "raw" }
}

resource "aws_ram_resource_share" "outside" { # CF-SEC-025
  name                      = "outside"
  allow_external_principals = true
}

resource "aws_sagemaker_notebook_instance" "root" { # CF-SEC-026, CF-NET-007
  name          = "root"
  role_arn      = "arn:aws:iam::123456789012:role/notebook"
  instance_type = "ml.t3.medium"
}

resource "aws_vpn_connection" "old" { # CF-TLS-005
  customer_gateway_id  = "cgw-0123456789abcdef0"
  transit_gateway_id   = aws_ec2_transit_gateway.open.id
  type                 = "ipsec.1"
  tunnel1_ike_versions = ["ikev1"]
}

resource "aws_iam_policy" "reads" { # CF-SEC-027, and CF-SEC-004 by parameters
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["s3:GetObject", "ssm:GetParametersByPath"], Resource = "*" }] })
}

resource "aws_iam_policy" "gives_away" { # CF-SEC-028, CF-SEC-029
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["s3:PutBucketPolicy", "cloudtrail:StopLogging"], Resource = "*" }] })
}
