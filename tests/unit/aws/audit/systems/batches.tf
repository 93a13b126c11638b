# Batches on hosts and on Fargate.

resource "aws_batch_job_definition" "host" { # CF-SEC-013, CF-SEC-001
  name = "host"
  type = "container"
  container_properties = jsonencode({
    image       = "example.com/job:1"
    privileged  = true
    environment = [{ name = "DB_PASSWORD", value = "correct-horse-9-battery" }]
    volumes     = [{ name = "docker", host = { sourcePath = "/var/run/docker.sock" } }]
  })
}

resource "aws_batch_job_definition" "several" { # CF-SEC-013, CF-SEC-001
  name = "several"
  type = "container"
  ecs_properties = jsonencode({ taskProperties = [{
    executionRoleArn = "arn:aws:iam::123456789012:role/agent"
    containers = [
      { name = "main", image = "example.com/job:1", essential = true, privileged = true },
      { name = "side", image = "example.com/side:1", environment = [{ name = "API_TOKEN", value = "correct-horse-9-battery" }] },
    ]
  }] })
}

resource "aws_batch_job_definition" "plain" {
  name = "plain"
  type = "container"
  container_properties = jsonencode({
    image       = "example.com/job:1"
    environment = [{ name = "BUCKET", value = "jobs" }]
    secrets     = [{ name = "DB_PASSWORD", valueFrom = "arn:aws:secretsmanager:us-east-1:123456789012:secret:jobs/db" }]
    volumes     = [{ name = "scratch", host = { sourcePath = "/mnt/scratch" } }]
  })
}

resource "aws_batch_job_definition" "nodes" {
  name = "nodes"
  type = "multinode"
  node_properties = jsonencode({
    mainNode            = 0, numNodes = 2
    nodeRangeProperties = [{ targetNodes = "0:", container = { image = "example.com/mpi:1", vcpus = 2, memory = 2048 } }]
  })
}

resource "aws_launch_template" "hosts" { # CF-SEC-007, CF-SEC-001, CF-DAT-013
  image_id  = "ami-0123456789abcdef0"
  user_data = base64encode("#!/bin/sh\nexport API_TOKEN=correct-horse-9-battery\n")
}

resource "aws_launch_template" "closed" {
  image_id = "ami-0123456789abcdef0"
  metadata_options { http_tokens = "required" }
  block_device_mappings {
    device_name = "/dev/xvda"
    ebs { encrypted = true }
  }
}

resource "aws_iam_role_policy" "starter" { # CF-SEC-006, CF-SEC-005
  role = "starter"
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = ["batch:*"], Resource = "*" },
    { Effect = "Allow", Action = ["iam:PassRole"], Resource = "*" },
  ] })
}

resource "aws_iam_role_policy" "submitter" {
  role = "submitter"
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = ["batch:SubmitJob"], Resource = ["arn:aws:batch:us-east-1:123456789012:job-queue/q", "arn:aws:batch:us-east-1:123456789012:job-definition/plain"] },
    { Effect = "Allow", Action = ["batch:DescribeJobs", "batch:ListJobs"], Resource = "*" },
    { Effect = "Allow", Action = ["iam:PassRole"], Resource = "arn:aws:iam::123456789012:role/batch-*" },
  ] })
}

resource "aws_efs_file_system" "plain" { # CF-DAT-002
  encrypted = false
}

resource "aws_efs_file_system" "sealed" {
  encrypted = true
}

resource "aws_efs_file_system_policy" "open" { # CF-SEC-009
  file_system_id = aws_efs_file_system.plain.id
  policy         = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { AWS = "*" }, Action = "elasticfilesystem:ClientMount", Resource = "*" }] })
}

resource "aws_efs_file_system_policy" "mounted" {
  file_system_id = aws_efs_file_system.sealed.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect    = "Allow", Principal = { AWS = "*" }, Action = "elasticfilesystem:ClientMount", Resource = "*"
    Condition = { Bool = { "elasticfilesystem:AccessedViaMountTarget" = "true" } }
  }] })
}

resource "aws_efs_backup_policy" "off" { # CF-DAT-022
  file_system_id = aws_efs_file_system.plain.id
  backup_policy { status = "DISABLED" }
}

resource "aws_efs_backup_policy" "on" {
  file_system_id = aws_efs_file_system.sealed.id
  backup_policy { status = "ENABLED" }
}

resource "aws_security_group" "shares" { # CF-NET-003
  name = "shares"
  ingress {
    from_port   = 445
    to_port     = 445
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "lustre" { # CF-NET-003
  name = "lustre"
  ingress {
    from_port   = 988
    to_port     = 988
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "inside" {
  name = "inside"
  ingress {
    from_port   = 2049
    to_port     = 2049
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/16"]
  }
}

resource "aws_storagegateway_nfs_file_share" "world" { # CF-NET-003
  client_list  = ["0.0.0.0/0"]
  gateway_arn  = "arn:aws:storagegateway:us-east-1:123456789012:gateway/sgw-12345678"
  location_arn = "arn:aws:s3:::acme-share"
  role_arn     = "arn:aws:iam::123456789012:role/share"
}

resource "aws_storagegateway_nfs_file_share" "office" {
  client_list  = ["10.1.0.0/16"]
  gateway_arn  = "arn:aws:storagegateway:us-east-1:123456789012:gateway/sgw-12345678"
  location_arn = "arn:aws:s3:::acme-share"
  role_arn     = "arn:aws:iam::123456789012:role/share"
}

resource "aws_storagegateway_smb_file_share" "guests" { # CF-DAT-021
  authentication = "GuestAccess"
  gateway_arn    = "arn:aws:storagegateway:us-east-1:123456789012:gateway/sgw-12345678"
  location_arn   = "arn:aws:s3:::acme-share"
  role_arn       = "arn:aws:iam::123456789012:role/share"
}

resource "aws_fsx_openzfs_file_system" "root" { # CF-DAT-021, CF-DAT-022
  storage_capacity    = 64
  subnet_ids          = ["subnet-0123456789abcdef0"]
  deployment_type     = "SINGLE_AZ_1"
  throughput_capacity = 64
  root_volume_configuration {
    nfs_exports {
      client_configurations {
        clients = "*"
        options = ["rw", "no_root_squash"]
      }
    }
  }
}

resource "aws_fsx_openzfs_file_system" "squashed" {
  storage_capacity                = 64
  subnet_ids                      = ["subnet-0123456789abcdef0"]
  deployment_type                 = "SINGLE_AZ_1"
  throughput_capacity             = 64
  automatic_backup_retention_days = 7
  root_volume_configuration {
    nfs_exports {
      client_configurations {
        clients = "10.0.0.0/16"
        options = ["rw", "root_squash"]
      }
    }
  }
}
