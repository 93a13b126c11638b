mock_provider "aws" {
  mock_resource "aws_route53_zone" {
    defaults = { zone_id = "ZNEW", name_servers = ["ns-1.example", "ns-2.example"] }
  }

  mock_data "aws_route53_zone" {
    defaults = { zone_id = "ZFOUND" }
  }
}

variables {
  zone_name = "bluegreen.example.com"
  ttl       = 60
  aliases = {
    "bluegreen.example.com"     = { dns_name = "shop.elb.amazonaws.com", zone_id = "ZELB" }
    "www.bluegreen.example.com" = { dns_name = "d1.cloudfront.net", zone_id = "Z2FDTNDATAQYW2", ipv6 = true }
  }
}

run "makes_the_zone_and_its_names" {
  module {
    source = "./modules/delivery/route53"
  }

  assert {
    condition     = output.zone_id == "ZNEW" && output.name_servers == tolist(["ns-1.example", "ns-2.example"])
    error_message = "The zone is made, and says which name servers to enter."
  }

  assert {
    condition = (
      aws_route53_record.alias["bluegreen.example.com"].alias[0].name == "shop.elb.amazonaws.com"
      && aws_route53_record.alias["www.bluegreen.example.com"].alias[0].zone_id == "Z2FDTNDATAQYW2"
    )
    error_message = "Each name leads to its own target."
  }

  assert {
    condition     = keys(aws_route53_record.alias_ipv6) == ["www.bluegreen.example.com"]
    error_message = "Only what answers on IPv6 has an AAAA record."
  }

  assert {
    condition     = length(aws_route53_record.old_host) == 0 && length(aws_route53_record.alias["bluegreen.example.com"].weighted_routing_policy) == 0
    error_message = "Nobody is sent elsewhere unless the name moves."
  }
}

run "takes_the_zone_that_is_there" {
  module {
    source = "./modules/delivery/route53"
  }

  variables {
    create = false
  }

  assert {
    condition     = output.zone_id == "ZFOUND" && length(aws_route53_zone.this) == 0 && length(output.name_servers) == 0
    error_message = "An existing zone is looked up by its name, and not made."
  }
}

run "takes_the_zone_of_an_id" {
  module {
    source = "./modules/delivery/route53"
  }

  variables {
    create  = false
    zone_id = "ZGIVEN"
  }

  assert {
    condition     = output.zone_id == "ZGIVEN" && length(data.aws_route53_zone.this) == 0
    error_message = "A zone whose id is known is not looked up."
  }
}

run "shares_visitors_with_the_old_host" {
  module {
    source = "./modules/delivery/route53"
  }

  variables {
    move = { name = "bluegreen.example.com", address = "203.0.113.10", share = 10 }
  }

  assert {
    condition = (
      aws_route53_record.alias["bluegreen.example.com"].weighted_routing_policy[0].weight == 10
      && aws_route53_record.old_host[0].weighted_routing_policy[0].weight == 90
    )
    error_message = "A tenth comes here, the rest goes where it went."
  }

  assert {
    condition     = aws_route53_record.old_host[0].ttl == 60 && aws_route53_record.old_host[0].records == toset(["203.0.113.10"])
    error_message = "The old host's record is short-lived, so that the next share counts at once."
  }

  assert {
    condition     = length(aws_route53_record.alias["www.bluegreen.example.com"].weighted_routing_policy) == 0
    error_message = "Only the name that moves is shared."
  }
}

run "refuses_a_share_that_is_none" {
  command = plan

  module {
    source = "./modules/delivery/route53"
  }

  variables {
    move = { name = "bluegreen.example.com", address = "203.0.113.10", share = 101 }
  }

  expect_failures = [var.move]
}
