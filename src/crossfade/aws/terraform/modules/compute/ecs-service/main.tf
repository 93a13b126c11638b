# A service of containers on Fargate, behind a load balancer or a worker, as two services of ECS: blue and green. A release fills the one that rests, traffic
# moves over, and the other is emptied when nobody wants to go back. Terraform makes both and leaves to deploys what runs.

locals {
  colours = toset(["blue", "green"])
  asked   = length(var.target_groups) > 0 # a worker is not

  # https://docs.aws.amazon.com/xray/latest/devguide/xray-daemon-ecs.html
  daemon = {
    name         = "xray"
    image        = "public.ecr.aws/xray/aws-xray-daemon:3.3.11"
    essential    = false
    cpu          = 32
    memory       = 256
    portMappings = [{ containerPort = 2000, hostPort = 2000, protocol = "udp" }]
  }

  container = merge(
    {
      name         = var.container_name
      image        = var.image
      essential    = true
      stopTimeout  = var.stop_timeout
      portMappings = [for port in local.asked ? [var.port] : [] : { containerPort = port, hostPort = port, protocol = "tcp" }]
      environment  = [for name, text in var.environment : { name = name, value = text }]
      secrets      = [for name, arn in var.secrets : { name = name, valueFrom = arn }]
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.this.name
          awslogs-region        = var.region
          awslogs-stream-prefix = var.container_name
        }
      }
    },
    length(var.command) > 0 ? { command = var.command } : {},
    var.check == null ? {} : {
      healthCheck = {
        command     = ["CMD-SHELL", var.check]
        interval    = 30
        timeout     = 5
        retries     = 3
        startPeriod = min(var.health_grace, 300) # the longest that ECS takes
      }
    },
    {
      for setting, of in {
        readonlyRootFilesystem = true
        mountPoints            = [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }]
      } : setting => of if var.read_only
    },
  )
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/ecs/${var.name}"
  retention_in_days = var.log_retention_days
}

# Deploys register later revisions of this family, with another image and the rest of the newest one.
resource "aws_ecs_task_definition" "this" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = var.execution_role_arn
  task_role_arn            = var.task_role_arn
  container_definitions    = jsonencode(concat([local.container], var.tracing ? [local.daemon] : []))

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }

  # What may be written where nothing else may.
  dynamic "volume" {
    for_each = var.read_only ? ["tmp"] : []

    content {
      name = volume.value
    }
  }

  tags = { Name = var.name }
}

resource "aws_ecs_service" "this" {
  for_each = local.colours

  name            = "${var.name}-${each.key}"
  cluster         = var.cluster_arn
  task_definition = aws_ecs_task_definition.this.arn
  # The other one rests, and costs nothing; nobody waits for a worker before its first release.
  desired_count = each.key == var.first && local.asked ? var.desired : 0

  # What ECS replaces by itself, such as a task on a machine that is taken away, is there before the old one goes.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = local.asked ? var.health_grace : null
  # New tasks go where there are fewest; a shell into one is off, because it passes by every review.
  enable_execute_command  = false
  enable_ecs_managed_tags = true
  propagate_tags          = "SERVICE"

  # Tasks that never get healthy are given up instead of being started for ever. Nothing is taken back by ECS: it would
  # put an older release under the number of the new one, and the visitors are still at the other colour.
  deployment_circuit_breaker {
    enable   = true
    rollback = false
  }

  # The minimum is always there; of what is above it, this share may be taken away with two minutes' notice.
  capacity_provider_strategy {
    capacity_provider = "FARGATE"
    base              = var.scaling == null ? var.desired : var.scaling.min
    weight            = 100 - var.spot_percent
  }

  dynamic "capacity_provider_strategy" {
    for_each = var.spot_percent > 0 ? [var.spot_percent] : []

    content {
      capacity_provider = "FARGATE_SPOT"
      weight            = capacity_provider_strategy.value
    }
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.security_group_id]
    assign_public_ip = var.public_address
  }

  # Each colour has its own for good: to move a service's would be a deployment of ECS.
  dynamic "load_balancer" {
    for_each = local.asked ? [var.target_groups[each.key].arn] : []

    content {
      target_group_arn = load_balancer.value
      container_name   = var.container_name
      container_port   = var.port
    }
  }

  # By these a deploy finds it.
  tags = {
    Name                = "${var.name}-${each.key}"
    "crossfade:service" = var.container_name
    "crossfade:colour"  = each.key
  }

  lifecycle {
    # What runs is a deploy's, and how many is for it and for scaling to say.
    ignore_changes = [task_definition, desired_count]
  }
}
