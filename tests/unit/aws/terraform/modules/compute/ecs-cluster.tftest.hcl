mock_provider "aws" {}

run "a_cluster_with_spare_capacity_at_hand" {
  module {
    source = "./modules/compute/ecs-cluster"
  }

  variables {
    name = "shop-prod"
  }

  assert {
    condition     = one(aws_ecs_cluster.this.setting).value == "disabled" && output.name == "shop-prod"
    error_message = "Container Insights, which is billed by the metric, is off."
  }

  assert {
    condition     = aws_ecs_cluster_capacity_providers.this.capacity_providers == toset(["FARGATE", "FARGATE_SPOT"])
    error_message = "Both kinds of capacity are there."
  }
}
