# A chain: visitors -> load balancer -> application -> data. Each link names the group before it, never addresses, so
# that a machine is reached by what it is and not by where it stands. Rules are resources of their own: an inline rule
# would take back every rule that somebody else added.

locals {
  entrances = toset([for pair in setproduct(var.https ? ["80", "443"] : ["80"], var.visitors) : join(" ", pair)])
  open = {
    for pair in flatten([for open in var.open_ports : [for cidr in open.to : { port = open.port, cidr = cidr }]]) :
    "${pair.port} ${pair.cidr}" => pair
  }
  app_ports = toset([for port in var.app_ports : tostring(port)])
  database  = var.database_port == null ? 0 : 1
  cache     = var.cache_port == null ? 0 : 1
}

resource "aws_security_group" "alb" {
  name_prefix = "${var.name}-alb-"
  description = "Load balancer: from visitors, to the application"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-alb" }

  # Another one is there before this one goes: while something stands in a group AWS does not delete it.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "alb" {
  for_each = local.entrances

  security_group_id = aws_security_group.alb.id
  description       = split(" ", each.key)[0] == "443" ? "HTTPS from visitors" : "HTTP from visitors"
  cidr_ipv4         = split(" ", each.key)[1]
  from_port         = tonumber(split(" ", each.key)[0])
  to_port           = tonumber(split(" ", each.key)[0])
  ip_protocol       = "tcp"
}

resource "aws_vpc_security_group_egress_rule" "alb_to_app" {
  for_each = local.app_ports

  security_group_id            = aws_security_group.alb.id
  description                  = "To the application"
  referenced_security_group_id = aws_security_group.app.id
  from_port                    = tonumber(each.key)
  to_port                      = tonumber(each.key)
  ip_protocol                  = "tcp"
}

resource "aws_security_group" "app" {
  name_prefix = "${var.name}-app-"
  description = "Application: from the load balancer only"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-app" }

  # Another one is there before this one goes: while something stands in a group AWS does not delete it.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "app_from_alb" {
  for_each = local.app_ports

  security_group_id            = aws_security_group.app.id
  description                  = "From the load balancer"
  referenced_security_group_id = aws_security_group.alb.id
  from_port                    = tonumber(each.key)
  to_port                      = tonumber(each.key)
  ip_protocol                  = "tcp"
}

resource "aws_vpc_security_group_ingress_rule" "app_open" {
  for_each = local.open

  security_group_id = aws_security_group.app.id
  description       = "Open past the load balancer, as the file says"
  cidr_ipv4         = each.value.cidr
  from_port         = each.value.port
  to_port           = each.value.port
  ip_protocol       = "tcp"
}

# Registries, AWS itself and the APIs of others are HTTPS; names are resolved inside of the network, past any group.
resource "aws_vpc_security_group_egress_rule" "app_to_world" {
  security_group_id = aws_security_group.app.id
  description       = "HTTPS to the world"
  cidr_ipv4         = "0.0.0.0/0"
  from_port         = 443
  to_port           = 443
  ip_protocol       = "tcp"
}

resource "aws_vpc_security_group_egress_rule" "app_to_database" {
  count = local.database

  security_group_id            = aws_security_group.app.id
  description                  = "To the database"
  referenced_security_group_id = aws_security_group.database[0].id
  from_port                    = var.database_port
  to_port                      = var.database_port
  ip_protocol                  = "tcp"
}

resource "aws_vpc_security_group_egress_rule" "app_to_cache" {
  count = local.cache

  security_group_id            = aws_security_group.app.id
  description                  = "To the cache"
  referenced_security_group_id = aws_security_group.cache[0].id
  from_port                    = var.cache_port
  to_port                      = var.cache_port
  ip_protocol                  = "tcp"
}

resource "aws_security_group" "database" {
  count = local.database

  name_prefix = "${var.name}-database-"
  description = "Database: from the application only"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-database" }

  # Another one is there before this one goes: while something stands in a group AWS does not delete it.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "database_from_app" {
  count = local.database

  security_group_id            = aws_security_group.database[0].id
  description                  = "From the application"
  referenced_security_group_id = aws_security_group.app.id
  from_port                    = var.database_port
  to_port                      = var.database_port
  ip_protocol                  = "tcp"
}

resource "aws_vpc_security_group_ingress_rule" "database_public" {
  count = var.database_public ? local.database : 0

  security_group_id = aws_security_group.database[0].id
  description       = "From everywhere, as the file says"
  cidr_ipv4         = "0.0.0.0/0"
  from_port         = var.database_port
  to_port           = var.database_port
  ip_protocol       = "tcp"
}

resource "aws_vpc_security_group_egress_rule" "database_to_world" {
  count = var.database_on_host ? local.database : 0

  security_group_id = aws_security_group.database[0].id
  description       = "HTTPS: packages, images, the secret with its password"
  cidr_ipv4         = "0.0.0.0/0"
  from_port         = 443
  to_port           = 443
  ip_protocol       = "tcp"
}

resource "aws_security_group" "cache" {
  count = local.cache

  name_prefix = "${var.name}-cache-"
  description = "Cache: from the application only"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-cache" }

  # Another one is there before this one goes: while something stands in a group AWS does not delete it.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "cache_from_app" {
  count = local.cache

  security_group_id            = aws_security_group.cache[0].id
  description                  = "From the application"
  referenced_security_group_id = aws_security_group.app.id
  from_port                    = var.cache_port
  to_port                      = var.cache_port
  ip_protocol                  = "tcp"
}
