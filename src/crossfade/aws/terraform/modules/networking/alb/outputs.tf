output "arn" {
  description = "The load balancer."
  value       = aws_lb.this.arn
}

output "arn_suffix" {
  description = "The load balancer as metrics name it."
  value       = aws_lb.this.arn_suffix
}

output "dns_name" {
  description = "Its address."
  value       = aws_lb.this.dns_name
}

output "zone_id" {
  description = "Hosted zone of its address, for alias records."
  value       = aws_lb.this.zone_id
}

output "http_listener_arn" {
  description = "Listener of port 80."
  value       = one(concat(aws_lb_listener.http[*].arn, aws_lb_listener.redirect[*].arn))
}

output "https_listener_arn" {
  description = "Listener of port 443. Null: there is none."
  value       = one(aws_lb_listener.https[*].arn)
}

output "target_group_arns" {
  description = "Blue target group of each service."
  value       = { for name in keys(var.services) : name => aws_lb_target_group.this["${name}-blue"].arn }

  # ECS takes no target group that no listener leads to.
  depends_on = [aws_lb_listener.http, aws_lb_listener.https, aws_lb_listener_rule.this]
}

output "target_group_arn_suffixes" {
  description = "Blue target group of each service, as metrics name it."
  value       = { for name in keys(var.services) : name => aws_lb_target_group.this["${name}-blue"].arn_suffix }
}

output "target_group_names" {
  description = "Name of the blue target group of each service."
  value       = { for name in keys(var.services) : name => aws_lb_target_group.this["${name}-blue"].name }
}

output "green_target_group_arns" {
  description = "Green target group of each service."
  value       = { for name in keys(var.services) : name => aws_lb_target_group.this["${name}-green"].arn }
}

output "green_target_group_arn_suffixes" {
  description = "Green target group of each service, as metrics name it."
  value       = { for name in keys(var.services) : name => aws_lb_target_group.this["${name}-green"].arn_suffix }
}

output "green_target_group_names" {
  description = "Name of the green target group of each service."
  value       = { for name in keys(var.services) : name => aws_lb_target_group.this["${name}-green"].name }
}

output "rule_ids" {
  description = "Rules of the listener that visitors reach, by service and number."
  value       = { for key, rule in aws_lb_listener_rule.this : key => rule.id }
}
