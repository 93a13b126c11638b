# A database on a host of its own. The data is on a volume that neither deploys nor a new host touch.

data "aws_partition" "current" {}

locals {
  architecture = can(regex("^[a-z]+[0-9]+g", var.instance_type)) ? "arm64" : "x86_64"
  postgres     = var.engine == "postgres"
  partition    = data.aws_partition.current.partition # aws, aws-cn or aws-us-gov

  # Words of a shell: in single quotes nothing is special but the quote itself.
  quoted = { for key, text in var.parameters : key => "'${replace(text, "'", "'\\''")}'" }

  options = join(" ", concat(
    [for key, text in local.quoted : local.postgres ? "-c ${key}=${text}" : "--${replace(key, "_", "-")}=${text}"],
    !var.force_tls ? [] : local.postgres ? [
      "-c ssl=on", "-c ssl_cert_file=/tls/server.crt", "-c ssl_key_file=/tls/server.key", "-c hba_file=/tls/pg_hba.conf",
      ] : [
      "--require-secure-transport=ON", "--ssl-cert=/tls/server.crt", "--ssl-key=/tls/server.key",
    ],
  ))

  user_data = templatefile("${path.module}/user_data.sh.tftpl", {
    name     = var.name
    region   = var.region
    secret   = aws_secretsmanager_secret.password.arn
    volume   = replace(aws_ebs_volume.data.id, "-", "")
    image    = "public.ecr.aws/docker/library/${var.engine}:${var.engine_version}"
    port     = var.port
    inside   = local.postgres ? 5432 : 3306
    data     = local.postgres ? "/var/lib/postgresql/data" : "/var/lib/mysql"
    prefix   = { postgres = "POSTGRES", mysql = "MYSQL", mariadb = "MARIADB" }[var.engine]
    postgres = local.postgres
    database = var.database_name
    options  = local.options
  })
}

# Tags of the provider do not reach what a launch template starts.
data "aws_default_tags" "this" {}

# The host makes the password when it first starts. Terraform knows where it is, and never what it is.
resource "aws_secretsmanager_secret" "password" {
  name        = "${var.name}/password"
  description = "Password of the database on ${var.name}"

  tags = { Name = "${var.name}-password" }
}

resource "aws_ebs_volume" "data" {
  availability_zone = var.zone
  size              = var.storage_gib
  type              = "gp3"
  encrypted         = true
  # Deleting it leaves a last snapshot behind.
  final_snapshot = true

  tags = { Name = "${var.name}-data", Backup = var.name }
}

resource "aws_volume_attachment" "data" {
  device_name                    = "/dev/sdf"
  volume_id                      = aws_ebs_volume.data.id
  instance_id                    = aws_instance.this.id
  stop_instance_before_detaching = true
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "password" {
  statement {
    actions   = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
    resources = [aws_secretsmanager_secret.password.arn]
  }
}

resource "aws_iam_role" "this" {
  name               = var.name
  assume_role_policy = data.aws_iam_policy_document.trust.json

  tags = { Name = var.name }
}

resource "aws_iam_role_policy" "password" {
  name   = "password"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.password.json
}

# A shell without an open port: https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager.html
resource "aws_iam_role_policy_attachment" "shell" {
  role       = aws_iam_role.this.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "this" {
  name = var.name
  role = aws_iam_role.this.name

  tags = { Name = var.name }
}

resource "aws_launch_template" "this" {
  name      = var.name
  image_id  = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${local.architecture}"
  user_data = base64encode(local.user_data)

  update_default_version = true

  # Here and not at the instance: there the provider looks the image up, and does not resolve its alias.
  # https://github.com/hashicorp/terraform-provider-aws/issues/43488
  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_size           = 20
      volume_type           = "gp3"
      encrypted             = true
      delete_on_termination = true
    }
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  tags = { Name = var.name }
}

resource "aws_instance" "this" {
  instance_type               = var.instance_type
  subnet_id                   = var.subnet_id
  vpc_security_group_ids      = [var.security_group_id]
  iam_instance_profile        = aws_iam_instance_profile.this.name
  associate_public_ip_address = var.public_address

  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }

  # By these a deploy finds what it writes down before a migration.
  tags = merge(
    { Name = var.name },
    var.dumps == null ? {} : { "crossfade:dumps" = var.dumps.bucket, "crossfade:engine" = var.engine },
  )
  volume_tags = null

  lifecycle {
    # A newer image or another user data is for the next host; this one keeps running.
    ignore_changes = [launch_template]
  }
}
