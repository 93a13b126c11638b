mock_provider "aws" {
  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/shop-prod-web:1" }
  }

  mock_resource "aws_ecs_service" {
    defaults = { id = "arn:aws:ecs:us-east-1:123456789012:service/shop-prod/shop-prod-web" }
  }
}

variables {
  name                  = "shop-prod-web"
  container_name        = "web"
  region                = "us-east-1"
  cluster_arn           = "arn:aws:ecs:us-east-1:123456789012:cluster/shop-prod"
  cluster_name          = "shop-prod"
  image                 = "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop-prod/web:1"
  port                  = 3001
  cpu                   = 2048
  memory                = 4096
  environment           = { LOG_LEVEL = "info" }
  secrets               = { DB_PASSWORD = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop" }
  execution_role_arn    = "arn:aws:iam::123456789012:role/execution"
  task_role_arn         = "arn:aws:iam::123456789012:role/task"
  subnet_ids            = ["subnet-1", "subnet-2"]
  security_group_id     = "sg-1"
  target_group_arn      = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/blue/1"
  load_balancer_suffix  = "app/shop/1"
  target_group_suffixes = ["targetgroup/blue/1", "targetgroup/green/2"]
  desired               = 2
  scaling               = { min = 2, max = 10, cpu = 70, memory = 70, requests = 1000, out_after = 60, in_after = 300 }
  spot_percent          = 40
  log_retention_days    = 7
}

run "a_service_that_grows" {
  module {
    source = "./modules/compute/ecs-service"
  }

  assert {
    condition     = aws_ecs_task_definition.this.cpu == "2048" && aws_ecs_task_definition.this.memory == "4096" && aws_ecs_task_definition.this.network_mode == "awsvpc"
    error_message = "A task has the size that was asked for."
  }

  assert {
    condition = (
      jsondecode(aws_ecs_task_definition.this.container_definitions)[0].secrets[0].name == "DB_PASSWORD" &&
      length([for one in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment : one if one.name == "DB_PASSWORD"]) == 0 &&
      jsondecode(aws_ecs_task_definition.this.container_definitions)[0].portMappings[0].containerPort == 3001
    )
    error_message = "A secret comes from where it is kept, and not as plain text."
  }

  assert {
    condition     = aws_ecs_service.this.deployment_circuit_breaker[0].enable && aws_ecs_service.this.deployment_circuit_breaker[0].rollback
    error_message = "A release that never gets healthy is taken back."
  }

  assert {
    condition     = { for one in aws_ecs_service.this.capacity_provider_strategy : one.capacity_provider => "${coalesce(one.base, 0)} ${one.weight}" } == { FARGATE = "2 60", FARGATE_SPOT = "0 40" }
    error_message = "The minimum is never on spare capacity, and 40 % of the rest is."
  }

  assert {
    condition     = aws_appautoscaling_target.this[0].min_capacity == 2 && aws_appautoscaling_target.this[0].max_capacity == 10
    error_message = "It grows from 2 to 10."
  }

  assert {
    condition = alltrue([
      for policy in concat(values(aws_appautoscaling_policy.average), aws_appautoscaling_policy.requests) :
      policy.target_tracking_scaling_policy_configuration[0].scale_out_cooldown == 60 &&
      policy.target_tracking_scaling_policy_configuration[0].scale_in_cooldown == 300
    ]) && length(aws_appautoscaling_policy.average) == 2
    error_message = "Every policy pauses 60 s after growing and 300 s after shrinking."
  }

  assert {
    condition = (
      one(aws_appautoscaling_policy.requests[0].target_tracking_scaling_policy_configuration[*].target_value) == 1000 &&
      length(one(aws_appautoscaling_policy.requests[0].target_tracking_scaling_policy_configuration[*].customized_metric_specification)[0].metrics) == 3
    )
    error_message = "Requests are counted at both colours."
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 7 && !aws_ecs_service.this.network_configuration[0].assign_public_ip
    error_message = "Logs go after a week, and tasks have no public address."
  }
}

run "a_service_of_one" {
  command = plan

  module {
    source = "./modules/compute/ecs-service"
  }

  variables {
    scaling      = null
    spot_percent = 0
    desired      = 1
    tracing      = true
  }

  assert {
    condition     = length(aws_appautoscaling_target.this) == 0 && length(aws_ecs_service.this.capacity_provider_strategy) == 1
    error_message = "Without scaling there is none, and no spare capacity."
  }
}

run "sizes_that_fargate_has_not" {
  command = plan

  module {
    source = "./modules/compute/ecs-service"
  }

  variables {
    cpu          = 300
    memory       = 700
    stop_timeout = 300
  }

  expect_failures = [var.cpu, var.memory, var.stop_timeout]
}
