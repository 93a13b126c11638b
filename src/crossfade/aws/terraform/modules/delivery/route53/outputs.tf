output "zone_id" {
  description = "Id of the hosted zone."
  value       = local.zone_id
}

output "name_servers" {
  description = "Name servers to enter at the registrar. Empty when the zone was there already."
  value       = var.create ? aws_route53_zone.this[0].name_servers : []
}
