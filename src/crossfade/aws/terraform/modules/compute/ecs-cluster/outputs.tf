output "name" {
  description = "The cluster's name."
  value       = aws_ecs_cluster.this.name

  # A service may name a capacity provider only once the cluster has it.
  depends_on = [aws_ecs_cluster_capacity_providers.this]
}

output "arn" {
  description = "The cluster."
  value       = aws_ecs_cluster.this.arn

  depends_on = [aws_ecs_cluster_capacity_providers.this]
}
