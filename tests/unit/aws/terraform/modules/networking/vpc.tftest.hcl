mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0" }
  }
}

variables {
  name             = "shop-prod"
  region           = "ap-northeast-2"
  cidr             = "10.0.0.0/16"
  zones            = ["ap-northeast-2a", "ap-northeast-2c"]
  public_subnets   = ["10.0.1.0/24", "10.0.2.0/24"]
  private_subnets  = ["10.0.11.0/24", "10.0.12.0/24"]
  database_subnets = ["10.0.21.0/24", "10.0.22.0/24"]
}

run "one_gateway_for_all_zones" {
  module {
    source = "./modules/networking/vpc"
  }

  assert {
    condition     = join(" ", aws_subnet.private[*].cidr_block) == "10.0.11.0/24 10.0.12.0/24" && join(" ", aws_subnet.private[*].availability_zone) == "ap-northeast-2a ap-northeast-2c"
    error_message = "Subnets are in the order of the zones."
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_eip.nat) == 1
    error_message = "One NAT gateway has one address."
  }

  assert {
    condition     = one(distinct(aws_route.nat[*].nat_gateway_id)) == aws_nat_gateway.this[0].id && length(aws_route.nat) == 2
    error_message = "Both private tables lead to the one gateway."
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.public : !subnet.map_public_ip_on_launch])
    error_message = "Nothing gets a public address without asking."
  }

  assert {
    condition = alltrue([
      for route in concat(aws_route.nat, [aws_route.internet]) : route.route_table_id != aws_route_table.database[0].id
    ])
    error_message = "Data has no way out."
  }

  assert {
    condition     = keys(aws_vpc_endpoint.gateway) == ["s3"] && aws_vpc_endpoint.gateway["s3"].service_name == "com.amazonaws.ap-northeast-2.s3"
    error_message = "S3 is reached past NAT."
  }

  assert {
    condition     = length(aws_default_security_group.this.ingress) == 0 && aws_vpc.this.tags["Name"] == "shop-prod"
    error_message = "The default group lets nothing in."
  }
}

run "a_gateway_in_each_zone" {
  command = plan

  module {
    source = "./modules/networking/vpc"
  }

  variables {
    nat = "per-zone"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 2 && length(aws_eip.nat) == 2
    error_message = "Each zone has its own gateway and address."
  }
}

run "an_instance_instead_of_a_gateway" {
  module {
    source = "./modules/networking/vpc"
  }

  variables {
    nat = "instance"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_instance.nat) == 1 && aws_instance.nat[0].instance_type == "t4g.nano"
    error_message = "One small instance, and no gateway."
  }

  assert {
    condition     = !aws_network_interface.nat[0].source_dest_check && one(distinct(aws_route.nat_instance[*].network_interface_id)) == aws_network_interface.nat[0].id
    error_message = "What is for others goes through its interface."
  }

  assert {
    condition     = endswith(aws_launch_template.nat[0].image_id, "arm64") && aws_launch_template.nat[0].metadata_options[0].http_tokens == "required"
    error_message = "A Graviton class has an arm image, and IMDSv2."
  }
}

run "no_way_out_but_endpoints" {
  command = plan

  module {
    source = "./modules/networking/vpc"
  }

  variables {
    nat                 = "none"
    gateway_endpoints   = ["s3", "dynamodb"]
    interface_endpoints = ["ecr.api", "ecr.dkr", "logs"]
    flow_logs           = true
    log_retention_days  = 7
  }

  assert {
    condition     = length(aws_nat_gateway.this) + length(aws_instance.nat) + length(aws_route.nat) == 0
    error_message = "No NAT of any kind."
  }

  assert {
    condition     = length(aws_vpc_endpoint.interface) == 3 && length(aws_vpc_endpoint.gateway) == 2
    error_message = "Each endpoint is there once."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.endpoints[0].cidr_ipv4 == "10.0.0.0/16" && aws_vpc_security_group_ingress_rule.endpoints[0].from_port == 443
    error_message = "Endpoints are reached from inside of the network only."
  }

  assert {
    condition     = aws_cloudwatch_log_group.flow[0].retention_in_days == 7 && aws_flow_log.this[0].traffic_type == "ALL"
    error_message = "Flow logs are kept as long as said."
  }

  assert {
    condition     = one(data.aws_iam_policy_document.flow_trust[0].statement[0].condition).variable == "aws:SourceAccount"
    error_message = "Only flow logs of this account have the role."
  }
}

run "wrong_words_are_refused" {
  command = plan

  module {
    source = "./modules/networking/vpc"
  }

  variables {
    nat   = "two"
    zones = ["ap-northeast-2a"]
    cidr  = "10.0.0.0"
  }

  expect_failures = [var.nat, var.zones, var.cidr]
}
