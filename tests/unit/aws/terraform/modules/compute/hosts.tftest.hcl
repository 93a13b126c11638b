mock_provider "aws" {
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0", latest_version = 7 }
  }

  mock_resource "aws_instance" {
    defaults = { id = "i-0123456789abcdef0", private_ip = "10.0.1.7" }
  }

  mock_resource "aws_eip" {
    defaults = { public_ip = "203.0.113.7" }
  }
}

variables {
  name                  = "shop-prod"
  region                = "us-east-1"
  instances             = 3
  instance_type         = "t4g.small"
  subnet_ids            = ["subnet-1", "subnet-2"]
  security_group_id     = "sg-1"
  instance_profile_name = "shop-prod-host"
  keys                  = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDmQm1dS5n6v0n3G1fZ8jvXo0nqk0i0Qm7v4s3pXQ2aB deploy"]
}

run "they_stay_where_they_are_reached" {
  module {
    source = "./modules/compute/hosts"
  }

  variables {
    fixed_address   = true
    agent_parameter = "AmazonCloudWatch-shop-prod"
  }

  assert {
    condition     = output.addresses == ["203.0.113.7", "203.0.113.7", "203.0.113.7"] && keys(output.instances) == ["host-1", "host-2", "host-3"]
    error_message = "Each has an address of its own, and a name for people."
  }

  assert {
    condition     = aws_instance.this[*].subnet_id == ["subnet-1", "subnet-2", "subnet-1"] && aws_instance.this[2].tags["crossfade:host"] == "3"
    error_message = "They stand in one zone after the other, and have a number by which a deploy finds their order."
  }

  assert {
    condition = alltrue([
      for line in [
        "PasswordAuthentication no", "PermitRootLogin no", "/shop-prod/host-keys/$instance", "ssm:AmazonCloudWatch-shop-prod",
        base64encode("${var.keys[0]}\n"), "crossfade up --foreground",
      ] : strcontains(base64decode(aws_launch_template.this.user_data), line)
    ])
    error_message = "Only the file's keys get in, the host tells its own, and its controller comes back after a reboot."
  }

  assert {
    condition     = !strcontains(base64decode(aws_launch_template.this.user_data), "docker") && aws_launch_template.this.metadata_options[0].http_put_response_hop_limit == 1 && endswith(aws_launch_template.this.image_id, "arm64")
    error_message = "Processes need no Docker, and keys of the role reach no further than the host."
  }
}

run "private_ones_with_containers" {
  module {
    source = "./modules/compute/hosts"
  }

  variables {
    containers = true
  }

  assert {
    condition     = length(aws_eip.this) == 0 && join(" ", output.addresses) == join(" ", aws_instance.this[*].private_ip)
    error_message = "No address of the world."
  }

  assert {
    condition     = strcontains(base64decode(aws_launch_template.this.user_data), "usermod --append --groups docker 'ec2-user'") && aws_launch_template.this.metadata_options[0].http_put_response_hop_limit == 2
    error_message = "Docker runs images for whoever deploys."
  }
}

run "nobody_could_log_in" {
  command = plan

  module {
    source = "./modules/compute/hosts"
  }

  variables {
    keys = []
  }

  expect_failures = [var.keys]
}
