# Hosts behind the load balancer, all made from one launch template.

locals {
  architecture = can(regex("^[a-z]+[0-9]+g", var.instance_type)) ? "arm64" : "x86_64"

  # Words of bash. In single quotes nothing is special but the quote itself, and each stays on one line: one that reads
  # like a line of the script, such as the end of a here-document, is none.
  texts  = merge(var.environment, { "" = var.command == null ? "" : var.command })
  quoted = { for name, text in local.texts : name => "'${replace(replace(text, "'", "'\\''"), "\n", "'$'\\n''")}'" }
  words  = { for name, text in local.quoted : name => text if name != "" }

  # A host reads a secret by its ARN; behind it may stand a key of its JSON, as tasks of ECS name it.
  fetch = {
    for name, arn in var.secrets : name => join("", [
      "aws secretsmanager get-secret-value --region '${var.region}' --secret-id '${join(":", slice(split(":", arn), 0, 7))}'",
      " --query SecretString --output text",
      length(split(":", arn)) > 7 ? " | python3 -c 'import json, sys; print(json.load(sys.stdin)[\"${split(":", arn)[7]}\"])'" : "",
    ])
  }

  user_data = templatefile("${path.module}/user_data.sh.tftpl", {
    name            = var.name
    region          = var.region
    folder          = var.folder
    image           = var.image == null ? "" : var.image
    image_tag       = var.image_tag
    command         = var.command == null ? "" : local.quoted[""]
    container_port  = var.container_port
    ports           = var.ports
    nginx           = var.proxy == null ? "" : local.nginx
    start_app       = local.start_app
    environment     = local.words
    secrets         = local.fetch
    agent_parameter = var.agent_parameter == null ? "" : var.agent_parameter
    agent_reads     = var.agent_reads
    log_group       = aws_cloudwatch_log_group.this.name
    revisions       = var.revisions == null ? "" : var.revisions
  })
  start_app = templatefile("${path.module}/start-app.sh.tftpl", {
    region      = var.region
    environment = local.words
    secrets     = local.fetch
    command     = var.command == null ? "" : local.quoted[""]
    by_release  = var.revisions != null
  })
  nginx = var.proxy == null ? "" : templatefile("${path.module}/nginx.conf.tftpl", merge(var.proxy, {
    ports  = var.ports
    folder = var.image == null ? var.folder : ""
    app    = var.proxy.app_health
    # null has no place in a template's conditions.
    health     = var.proxy.health == null ? "" : var.proxy.health
    websockets = var.proxy.websockets == null ? "" : var.proxy.websockets
  }))
}

# Tags of the provider do not reach what a launch template starts.
data "aws_default_tags" "this" {}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/${var.name}/hosts"
  retention_in_days = var.log_retention_days
}

resource "aws_launch_template" "this" {
  name          = var.name
  image_id      = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${local.architecture}"
  instance_type = var.instance_type
  user_data     = base64encode(local.user_data)

  update_default_version = true

  iam_instance_profile {
    name = var.instance_profile_name
  }

  network_interfaces {
    associate_public_ip_address = var.public_address
    security_groups             = [var.security_group_id]
    delete_on_termination       = true
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_size           = var.disk_gib
      volume_type           = "gp3"
      encrypted             = true
      delete_on_termination = true
    }
  }

  # Who can make the application fetch a URL does not get the role's keys. Containers are one hop further away.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = var.image == null ? 1 : 2
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume"])

    content {
      resource_type = tag_specifications.value
      tags          = merge(data.aws_default_tags.this.tags, { Name = var.name })
    }
  }

  tags = { Name = var.name }
}

# Deploys write a version of it for each release, complete: what a host is they take from the template above, as it is
# then. Terraform only makes it, and takes it away.
resource "aws_launch_template" "releases" {
  count = var.green == null ? 0 : 1

  name          = "${var.name}-releases"
  instance_type = var.instance_type

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      encrypted   = true
      volume_type = "gp3"
    }
  }

  tags = { Name = "${var.name}-releases" }

  lifecycle {
    ignore_changes = all
  }
}

resource "aws_autoscaling_group" "this" {
  name                = coalesce(var.group_name, var.name)
  min_size            = var.min
  max_size            = var.max
  desired_capacity    = var.desired
  vpc_zone_identifier = var.subnet_ids
  target_group_arns   = [var.target_group_arn]

  health_check_type         = "ELB"
  health_check_grace_period = var.warmup
  default_instance_warmup   = var.warmup
  # Deploys wait for health, and say what they wait for.
  wait_for_capacity_timeout = "0"

  launch_template {
    id = aws_launch_template.this.id
    # By number: a refresh cannot be rolled back to "latest".
    # https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-rollback.html
    version = aws_launch_template.this.latest_version
  }

  instance_refresh {
    strategy = "Rolling"

    preferences {
      min_healthy_percentage = var.refresh.min_healthy
      max_healthy_percentage = var.refresh.max_healthy
      instance_warmup        = var.refresh.warmup
      checkpoint_percentages = length(var.refresh.checkpoints) > 0 ? var.refresh.checkpoints : null
      checkpoint_delay       = length(var.refresh.checkpoints) > 0 ? var.refresh.checkpoint_delay : null
      auto_rollback          = true
    }
  }

  dynamic "tag" {
    for_each = merge(data.aws_default_tags.this.tags, { Name = var.name }, var.tags)

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = false
    }
  }

  dynamic "tag" {
    for_each = var.host_tags.blue

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  lifecycle {
    # What hosts boot, and where they are registered, is a deploy's; how many there are is for it and for scaling to say,
    # and when that rests. Hosts that wait for a revision are not judged by the load balancer.
    ignore_changes = [
      desired_capacity, health_check_type, launch_template, min_size, suspended_processes, target_group_arns
    ]
  }
}

# The other colour, empty until a deploy fills it. A release goes out there while the one before serves on.
resource "aws_autoscaling_group" "green" {
  count = var.green == null ? 0 : 1

  name                = var.green.name
  min_size            = 0
  max_size            = var.max
  desired_capacity    = 0
  vpc_zone_identifier = var.subnet_ids
  target_group_arns   = [var.green.target_group_arn]

  health_check_type         = "ELB"
  health_check_grace_period = var.warmup
  default_instance_warmup   = var.warmup
  wait_for_capacity_timeout = "0"

  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }

  dynamic "tag" {
    for_each = merge(data.aws_default_tags.this.tags, { Name = var.name }, var.green.tags)

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = false
    }
  }

  dynamic "tag" {
    for_each = var.host_tags.green

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  lifecycle {
    ignore_changes = [
      desired_capacity, health_check_type, launch_template, min_size, suspended_processes, target_group_arns
    ]
  }
}
