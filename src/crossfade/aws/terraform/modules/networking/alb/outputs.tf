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

output "target_groups" {
  description = "Target group of each colour, by service: its ARN, its name, and its suffix as metrics name it."
  value = {
    for name in keys(var.services) : name => {
      for colour in ["blue", "green"] : colour => {
        arn    = aws_lb_target_group.this["${name}-${colour}"].arn
        name   = aws_lb_target_group.this["${name}-${colour}"].name
        suffix = aws_lb_target_group.this["${name}-${colour}"].arn_suffix
      }
    }
  }

  # ECS takes no target group that no listener leads to.
  depends_on = [aws_lb_listener.http, aws_lb_listener.https, aws_lb_listener_rule.this, aws_lb_listener_rule.preview]
}

output "rule_ids" {
  description = "Rules of the listener that visitors reach, by service and number."
  value       = { for key, rule in aws_lb_listener_rule.this : key => rule.id }
}
