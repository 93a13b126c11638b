# Read back otherwise: parameters, and whether it upgrades itself.
resource "aws_elasticache_parameter_group" "this" {
  lifecycle {
    ignore_changes = [parameter]
  }
}

resource "aws_elasticache_replication_group" "this" {
  lifecycle {
    ignore_changes = [auto_minor_version_upgrade]
  }
}

# Read back otherwise: a group of one shard has no primary endpoint.
output "endpoint" {
  value = coalesce(aws_elasticache_replication_group.this.primary_endpoint_address, "localhost")
}
