mock_provider "aws" {
  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/shop-prod-web:1" }
  }

  mock_resource "aws_ecs_service" {
    defaults = { id = "arn:aws:ecs:us-east-1:123456789012:service/shop-prod/shop-prod-web-blue" }
  }
}

variables {
  name               = "shop-prod-web"
  container_name     = "web"
  region             = "us-east-1"
  cluster_arn        = "arn:aws:ecs:us-east-1:123456789012:cluster/shop-prod"
  cluster_name       = "shop-prod"
  image              = "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop-prod/web:1"
  port               = 3001
  cpu                = 2048
  memory             = 4096
  environment        = { LOG_LEVEL = "info" }
  secrets            = { DB_PASSWORD = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop" }
  execution_role_arn = "arn:aws:iam::123456789012:role/execution"
  task_role_arn      = "arn:aws:iam::123456789012:role/task"
  subnet_ids         = ["subnet-1", "subnet-2"]
  security_group_id  = "sg-1"
  target_groups = {
    blue  = { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/blue/1", suffix = "targetgroup/blue/1" }
    green = { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/green/2", suffix = "targetgroup/green/2" }
  }
  load_balancer_suffix = "app/shop/1"
  desired              = 2
  scaling              = { min = 2, max = 10, cpu = 70, memory = 70, requests = 1000, out_after = 60, in_after = 300 }
  spot_percent         = 40
  log_retention_days   = 7
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
    condition = (
      { for colour, one in aws_ecs_service.this : colour => [one.name, one.desired_count, one(one.load_balancer).target_group_arn] } == {
        blue  = ["shop-prod-web-blue", 2, var.target_groups.blue.arn]
        green = ["shop-prod-web-green", 0, var.target_groups.green.arn]
      }
    )
    error_message = "Each colour is a service with its own target group, and one of them rests."
  }

  assert {
    condition     = alltrue([for one in aws_ecs_service.this : one.deployment_circuit_breaker[0].enable && !one.deployment_circuit_breaker[0].rollback && one.health_check_grace_period_seconds == 60])
    error_message = "What never gets healthy is given up, and ECS brings nothing back by itself."
  }

  assert {
    condition     = { for colour, one in aws_ecs_service.this : colour => [one.tags["crossfade:service"], one.tags["crossfade:colour"]] } == { blue = ["web", "blue"], green = ["web", "green"] }
    error_message = "A deploy finds them by their tags."
  }

  assert {
    condition     = { for one in aws_ecs_service.this["green"].capacity_provider_strategy : one.capacity_provider => "${coalesce(one.base, 0)} ${one.weight}" } == { FARGATE = "2 60", FARGATE_SPOT = "0 40" }
    error_message = "The minimum is never on spare capacity, and 40 % of the rest is."
  }

  assert {
    condition = { for colour, one in aws_appautoscaling_target.this : colour => [one.min_capacity, one.max_capacity, one.suspended_state[0].dynamic_scaling_out_suspended] } == {
      blue  = [2, 10, false]
      green = [2, 10, true]
    }
    error_message = "Both grow from 2 to 10, and the one that rests stays at none."
  }

  assert {
    condition = alltrue([
      for policy in aws_appautoscaling_policy.this :
      policy.target_tracking_scaling_policy_configuration[0].scale_out_cooldown == 60 &&
      policy.target_tracking_scaling_policy_configuration[0].scale_in_cooldown == 300
    ]) && length(aws_appautoscaling_policy.this) == 6
    error_message = "Every policy pauses 60 s after growing and 300 s after shrinking."
  }

  assert {
    condition = (
      one(aws_appautoscaling_policy.this["requests-green"].target_tracking_scaling_policy_configuration[*].target_value) == 1000 &&
      one(one(aws_appautoscaling_policy.this["requests-green"].target_tracking_scaling_policy_configuration[*].predefined_metric_specification)).resource_label == "app/shop/1/targetgroup/green/2"
    )
    error_message = "Requests are those of the colour's own target group."
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 7 && !aws_ecs_service.this["blue"].network_configuration[0].assign_public_ip
    error_message = "Logs go after a week, and tasks have no public address."
  }
}

run "what_a_deploy_has_changed" {
  module {
    source = "./modules/compute/ecs-service"
  }

  variables {
    desired = 5
    image   = "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop-prod/web:2"
    scaling = { min = 3, max = 10, cpu = 70 }
    first   = "green" # as if suspended_state were the other way round
  }

  assert {
    condition = (
      { for colour, one in aws_ecs_service.this : colour => one.desired_count } == { blue = 2, green = 0 } &&
      { for colour, one in aws_appautoscaling_target.this : colour => [one.min_capacity, one.suspended_state[0].dynamic_scaling_out_suspended] } == { blue = [2, false], green = [2, true] }
    )
    error_message = "How many run, which colour scales and within which bounds stays as it is: these are a deploy's."
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
    check        = "wget -qO- http://localhost:3001/health"
    read_only    = true
  }

  assert {
    condition = (
      jsondecode(aws_ecs_task_definition.this.container_definitions)[0].readonlyRootFilesystem &&
      jsondecode(aws_ecs_task_definition.this.container_definitions)[0].mountPoints[0].containerPath == "/tmp" &&
      [for one in aws_ecs_task_definition.this.volume : one.name] == ["tmp"]
    )
    error_message = "It writes to /tmp and nowhere else."
  }

  assert {
    condition = (
      jsondecode(aws_ecs_task_definition.this.container_definitions)[0].healthCheck.command == ["CMD-SHELL", "wget -qO- http://localhost:3001/health"] &&
      jsondecode(aws_ecs_task_definition.this.container_definitions)[0].healthCheck.startPeriod == 60
    )
    error_message = "ECS asks in the container, too, once it had time to start."
  }

  assert {
    condition     = !strcontains(jsondecode(aws_ecs_task_definition.this.container_definitions)[1].image, ".x") && can(regex(":[0-9]+\\.[0-9]+\\.[0-9]+$", jsondecode(aws_ecs_task_definition.this.container_definitions)[1].image))
    error_message = "What runs beside it is pinned to a version."
  }

  assert {
    condition     = length(aws_appautoscaling_target.this) == 0 && length(aws_ecs_service.this["blue"].capacity_provider_strategy) == 1
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
