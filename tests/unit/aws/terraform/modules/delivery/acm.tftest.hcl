mock_provider "aws" {
  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:ap-northeast-2:123456789012:certificate/1"
      domain_validation_options = [
        {
          domain_name           = "api.tiketi.gg"
          resource_record_name  = "_a.api.tiketi.gg."
          resource_record_type  = "CNAME"
          resource_record_value = "_b.acm-validations.aws."
        },
        {
          domain_name           = "tiketi.gg"
          resource_record_name  = "_c.tiketi.gg."
          resource_record_type  = "CNAME"
          resource_record_value = "_d.acm-validations.aws."
        },
      ]
    }
  }
}

variables {
  domain_name       = "tiketi.gg"
  alternative_names = ["api.tiketi.gg"]
  zone_id           = "Z1"
  ttl               = 60
}

run "proves_each_name_in_the_zone" {
  module {
    source = "./modules/delivery/acm"
  }

  assert {
    condition     = aws_acm_certificate.this.validation_method == "DNS"
    error_message = "ACM renews what it can validate by itself, which is by DNS."
  }

  assert {
    condition = (
      aws_route53_record.validation["tiketi.gg"].name == "_c.tiketi.gg."
      && aws_route53_record.validation["api.tiketi.gg"].name == "_a.api.tiketi.gg."
      && length(aws_route53_record.validation) == 2
    )
    error_message = "Each name has the record that ACM asks of it."
  }

  assert {
    condition     = alltrue([for record in aws_route53_record.validation : record.zone_id == "Z1" && record.ttl == 60])
    error_message = "The records are in the zone, with the file's TTL."
  }

  assert {
    condition     = aws_acm_certificate_validation.this.certificate_arn == "arn:aws:acm:ap-northeast-2:123456789012:certificate/1"
    error_message = "Who gets the certificate waits until it is validated."
  }
}
