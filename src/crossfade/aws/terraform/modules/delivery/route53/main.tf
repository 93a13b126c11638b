# The hosted zone, and the names that lead to us.

locals {
  zone_id = (
    var.create ? aws_route53_zone.this[0].zone_id :
    var.zone_id != null ? var.zone_id : data.aws_route53_zone.this[0].zone_id
  )
  moving = var.move == null ? "" : var.move.name
}

resource "aws_route53_zone" "this" {
  count = var.create ? 1 : 0

  name    = var.zone_name
  comment = "Made by crossfade"
}

data "aws_route53_zone" "this" {
  count = !var.create && var.zone_id == null ? 1 : 0

  name = var.zone_name
}

# Aliases have no TTL of their own: Route 53 takes that of the target, 60 seconds for a load balancer.
resource "aws_route53_record" "alias" {
  for_each = var.aliases

  zone_id = local.zone_id
  name    = each.key
  type    = "A"

  alias {
    name                   = each.value.dns_name
    zone_id                = each.value.zone_id
    evaluate_target_health = false # with one target there is nowhere else to send anybody
  }

  set_identifier = each.key == local.moving ? "crossfade" : null

  dynamic "weighted_routing_policy" {
    for_each = each.key == local.moving ? [var.move.share] : []

    content {
      weight = weighted_routing_policy.value
    }
  }
}

resource "aws_route53_record" "alias_ipv6" {
  for_each = { for name, target in var.aliases : name => target if target.ipv6 && name != local.moving }

  zone_id = local.zone_id
  name    = each.key
  type    = "AAAA"

  alias {
    name                   = each.value.dns_name
    zone_id                = each.value.zone_id
    evaluate_target_health = false
  }
}

# Where the name led before, for the visitors that have not moved yet. A short TTL lets the next share count at once.
resource "aws_route53_record" "old_host" {
  count = var.move == null ? 0 : 1

  zone_id        = local.zone_id
  name           = var.move.name
  type           = "A"
  ttl            = var.ttl
  records        = [var.move.address]
  set_identifier = "old-host"

  weighted_routing_policy {
    weight = 100 - var.move.share
  }
}
