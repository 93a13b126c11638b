mock_provider "aws" {}

variables {
  name      = "shop-prod"
  vpc_id    = "vpc-1"
  app_ports = [3000, 3001]
}

run "a_chain_from_visitors_to_data" {
  module {
    source = "./modules/networking/security-groups"
  }

  variables {
    database_port = 5432
    cache_port    = 6379
  }

  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.alb : rule.from_port]) == toset([80, 443]) && alltrue([for rule in aws_vpc_security_group_ingress_rule.alb : rule.cidr_ipv4 == "0.0.0.0/0"])
    error_message = "Visitors reach 80 and 443 of the load balancer."
  }

  assert {
    condition = (
      keys(aws_vpc_security_group_ingress_rule.app_from_alb) == ["3000", "3001"] &&
      alltrue([for rule in aws_vpc_security_group_ingress_rule.app_from_alb : rule.referenced_security_group_id == aws_security_group.alb.id]) &&
      length(aws_vpc_security_group_ingress_rule.app_open) == 0
    )
    error_message = "The application is reached from the load balancer only."
  }

  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.database_from_app[0].referenced_security_group_id == aws_security_group.app.id &&
      aws_vpc_security_group_ingress_rule.database_from_app[0].from_port == 5432 &&
      aws_vpc_security_group_ingress_rule.cache_from_app[0].referenced_security_group_id == aws_security_group.app.id &&
      aws_vpc_security_group_ingress_rule.cache_from_app[0].from_port == 6379
    )
    error_message = "Data is reached from the application only."
  }

  assert {
    condition = alltrue([
      for rule in concat(
        values(aws_vpc_security_group_egress_rule.alb_to_app), aws_vpc_security_group_egress_rule.app_to_database,
        aws_vpc_security_group_egress_rule.app_to_cache, [aws_vpc_security_group_egress_rule.app_to_world],
      ) : !contains([aws_security_group.database[0].id, aws_security_group.cache[0].id], rule.security_group_id)
    ]) && length(aws_vpc_security_group_egress_rule.database_to_world) == 0
    error_message = "Data reaches nobody."
  }

  assert {
    condition     = output.database_id == aws_security_group.database[0].id && output.cache_id == aws_security_group.cache[0].id
    error_message = "Groups are given to whoever needs them."
  }
}

run "nothing_that_was_not_asked_for" {
  command = plan

  module {
    source = "./modules/networking/security-groups"
  }

  variables {
    https    = false
    visitors = ["203.0.113.0/24"]
  }

  assert {
    condition     = [for rule in aws_vpc_security_group_ingress_rule.alb : "${rule.from_port} ${rule.cidr_ipv4}"] == ["80 203.0.113.0/24"]
    error_message = "Without HTTPS only 80 is open, and only for visitors."
  }

  assert {
    condition     = length(aws_security_group.database) + length(aws_security_group.cache) == 0
    error_message = "Without data no groups for it."
  }
}

run "a_database_on_a_host" {
  command = plan

  module {
    source = "./modules/networking/security-groups"
  }

  variables {
    database_port    = 3306
    database_on_host = true
    open_ports       = [{ port = 22, to = ["203.0.113.0/24", "198.51.100.7/32"] }]
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.database_to_world[0].from_port == 443
    error_message = "It fetches its packages by HTTPS."
  }

  assert {
    condition     = keys(aws_vpc_security_group_ingress_rule.app_open) == ["22 198.51.100.7/32", "22 203.0.113.0/24"]
    error_message = "Open ports are open for those networks."
  }
}
