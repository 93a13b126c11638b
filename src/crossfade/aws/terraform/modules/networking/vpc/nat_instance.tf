# A small instance that does what a NAT gateway does, for a tenth of its price and without its availability.
# https://docs.aws.amazon.com/vpc/latest/userguide/work-with-nat-instances.html

locals {
  nat_instances    = var.nat == "instance" ? 1 : 0
  nat_architecture = can(regex("^[a-z]+[0-9]+g", var.nat_instance_type)) ? "arm64" : "x86_64"
}

resource "aws_security_group" "nat" {
  count = local.nat_instances

  name        = "${var.name}-nat"
  description = "NAT instance: from private subnets to the world"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-nat" }
}

resource "aws_vpc_security_group_ingress_rule" "nat" {
  count = local.nat_instances * length(var.private_subnets)

  security_group_id = aws_security_group.nat[0].id
  description       = "Private subnet ${var.zones[count.index]}"
  cidr_ipv4         = var.private_subnets[count.index]
  ip_protocol       = "-1"
}

resource "aws_vpc_security_group_egress_rule" "nat" {
  count = local.nat_instances

  security_group_id = aws_security_group.nat[0].id
  description       = "The world"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

# The interface outlives the instance, and with it the public address and the routes.
resource "aws_network_interface" "nat" {
  count = local.nat_instances

  subnet_id         = aws_subnet.public[0].id
  security_groups   = [aws_security_group.nat[0].id]
  source_dest_check = false

  tags = { Name = "${var.name}-nat" }
}

resource "aws_eip" "nat_instance" {
  count = local.nat_instances

  domain            = "vpc"
  network_interface = aws_network_interface.nat[0].id

  tags = { Name = "${var.name}-nat" }

  depends_on = [aws_internet_gateway.this]
}

# A launch template finds the newest image by itself, so that a plan has nothing to look up.
resource "aws_launch_template" "nat" {
  count = local.nat_instances

  name          = "${var.name}-nat"
  image_id      = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${local.nat_architecture}"
  instance_type = var.nat_instance_type

  # Here and not at the instance: there the provider looks the image up, and does not resolve its alias.
  # https://github.com/hashicorp/terraform-provider-aws/issues/43488
  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_size           = 8
      volume_type           = "gp3"
      encrypted             = true
      delete_on_termination = true
    }
  }

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
  }

  user_data = base64encode(<<-EOT
    #!/bin/bash
    set -euo pipefail
    echo 'net.ipv4.ip_forward = 1' > /etc/sysctl.d/90-nat.conf
    sysctl --system
    dnf install -y iptables-services
    out=$(ip -o route get 1.1.1.1 | sed -n 's/.* dev \([^ ]*\).*/\1/p')
    iptables -t nat -A POSTROUTING -o "$out" -j MASQUERADE
    iptables -F FORWARD
    service iptables save
    systemctl enable --now iptables
  EOT
  )
}

resource "aws_instance" "nat" {
  count = local.nat_instances

  launch_template {
    id      = aws_launch_template.nat[0].id
    version = aws_launch_template.nat[0].latest_version
  }

  # The same as in the template, for who reads the plan.
  instance_type = var.nat_instance_type

  network_interface {
    network_interface_id = aws_network_interface.nat[0].id
    device_index         = 0
  }

  tags = { Name = "${var.name}-nat" }

  # It installs what it needs through its own public address.
  depends_on = [aws_eip.nat_instance, aws_route.internet]
}

resource "aws_route" "nat_instance" {
  count = local.nat_instances * length(aws_route_table.private)

  route_table_id         = aws_route_table.private[count.index].id
  destination_cidr_block = "0.0.0.0/0"
  network_interface_id   = aws_network_interface.nat[0].id
}
