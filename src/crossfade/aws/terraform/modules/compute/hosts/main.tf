# Hosts that stay. Terraform makes them and says who may log in; releases are brought to them over SSH, and the target
# group is a deploy's alone, which takes one host out of it after the other.

locals {
  architecture = can(regex("^[a-z]+[0-9]+g", var.instance_type)) ? "arm64" : "x86_64"

  user_data = templatefile("${path.module}/user_data.sh.tftpl", {
    name            = var.name
    region          = var.region
    user            = var.user
    keys            = join("\n", var.keys)
    containers      = var.containers
    agent_parameter = var.agent_parameter == null ? "" : var.agent_parameter
    agent_reads     = var.agent_reads
  })
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/${var.name}/hosts"
  retention_in_days = var.log_retention_days
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
    http_put_response_hop_limit = var.containers ? 2 : 1
  }

  tags = { Name = var.name }
}

resource "aws_instance" "this" {
  count = var.instances

  instance_type               = var.instance_type
  subnet_id                   = var.subnet_ids[count.index % length(var.subnet_ids)]
  vpc_security_group_ids      = [var.security_group_id]
  iam_instance_profile        = var.instance_profile_name
  associate_public_ip_address = var.public_address || var.fixed_address

  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }

  # By its number a deploy knows the order in which a release reaches them.
  tags        = { Name = "${var.name}-${count.index + 1}", "crossfade:host" = tostring(count.index + 1) }
  volume_tags = null

  lifecycle {
    # A newer image or another user data is for the next host; this one keeps running.
    ignore_changes = [launch_template]
  }
}

# An address that outlives the host's own: who deploys, and a name, keep what they know.
resource "aws_eip" "this" {
  count = var.fixed_address ? var.instances : 0

  domain   = "vpc"
  instance = aws_instance.this[count.index].id

  tags = { Name = "${var.name}-${count.index + 1}" }
}
