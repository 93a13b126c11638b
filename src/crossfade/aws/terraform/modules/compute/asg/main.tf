# Hosts behind the load balancer, all made from one launch template.

locals {
  architecture = can(regex("^[a-z]+[0-9]+g", var.instance_type)) ? "arm64" : "x86_64"

  # In a shell's single quotes nothing is special but the quote itself.
  quoted = { for name, text in var.environment : name => "'${replace(text, "'", "'\\''")}'" }

  user_data = templatefile("${path.module}/user_data.sh.tftpl", {
    name            = var.name
    region          = var.region
    folder          = var.folder
    image           = var.image == null ? "" : var.image
    image_tag       = var.image_tag
    command         = var.command == null ? "" : var.command
    container_port  = var.container_port
    ports           = var.ports
    nginx           = var.proxy == null ? "" : local.nginx
    start_app       = local.start_app
    environment     = local.quoted
    secrets         = var.secrets
    agent_parameter = var.agent_parameter == null ? "" : var.agent_parameter
    log_group       = aws_cloudwatch_log_group.this.name
  })
  start_app = templatefile("${path.module}/start-app.sh.tftpl", {
    region      = var.region
    environment = local.quoted
    secrets     = var.secrets
    command     = var.command == null ? "" : var.command
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

  lifecycle {
    # A deploy adds a version whose user data carries its IMAGE_TAG. Taken as it is, a change of anything else here
    # becomes a version of the release that runs, and not of the first one.
    ignore_changes = [user_data]
  }
}

resource "aws_autoscaling_group" "this" {
  name                = var.name
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
    for_each = merge(data.aws_default_tags.this.tags, { Name = var.name })

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = false
    }
  }

  lifecycle {
    # Where hosts are registered is a deploy's, and how many there are is for scaling to say.
    ignore_changes = [desired_capacity, target_group_arns]
  }
}
