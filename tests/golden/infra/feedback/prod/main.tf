# Written by `crossfade infra init`. Yours to edit: an edited file is not overwritten.

locals {
  name = "feedback-prod"
}

module "vpc" {
  source = "../../modules/networking/vpc"

  name              = local.name
  region            = var.region
  cidr              = "10.0.0.0/16"
  zones             = ["ap-northeast-2a", "ap-northeast-2c"]
  public_subnets    = ["10.0.1.0/24", "10.0.2.0/24"]
  private_subnets   = ["10.0.11.0/24", "10.0.12.0/24"]
  nat               = "none"
  gateway_endpoints = ["s3"]
}

module "security_groups" {
  source = "../../modules/networking/security-groups"

  name      = local.name
  vpc_id    = module.vpc.vpc_id
  visitors  = ["0.0.0.0/0"]
  https     = false
  app_ports = [8080]
  open_ports = [
    {
      port = 22
      to   = ["0.0.0.0/0"]
    },
    {
      port = 9100
      to   = ["0.0.0.0/0"]
    },
  ]
  database_port    = 3306
  database_on_host = true
}

module "alb" {
  source = "../../modules/networking/alb"

  name              = local.name
  vpc_id            = module.vpc.vpc_id
  subnet_ids        = module.vpc.public_subnet_ids
  security_group_id = module.security_groups.alb_id
  https             = false
  idle_timeout      = 3600
  algorithm         = "round_robin"
  services = {
    web = {
      port        = 8080
      target_type = "instance"
      drain       = 30
      health = {
        path      = "/actuator/health"
        interval  = 30
        timeout   = 5
        healthy   = 2
        unhealthy = 2
        codes     = "200"
      }
    }
  }
  default_service = "web"
  previews = [
    {
      service = "web"
      header  = "X-Crossfade-Preview"
    },
  ]
}

module "ecr_web" {
  source = "../../modules/compute/ecr"

  name         = "feedback-prod/web"
  keep         = 10
  expire_days  = 30
  immutable    = false
  scan_on_push = true
}

module "asg" {
  source = "../../modules/compute/asg"

  name           = local.name
  region         = var.region
  folder         = "/opt/feedback"
  image          = module.ecr_web.repository_url
  image_tag      = var.image_tags["web"]
  container_port = 8080
  ports          = [8080]
  secrets = {
    DATABASE_URL = module.secrets.arns["DATABASE_URL"]
  }
  instance_type         = "t3.small"
  disk_gib              = 20
  subnet_ids            = module.vpc.public_subnet_ids
  public_address        = true
  security_group_id     = module.security_groups.app_id
  instance_profile_name = module.iam.instance_profile_name
  target_group_arn      = module.alb.target_groups["web"].blue.arn
  group_name            = "feedback-prod-web-blue"
  tags = {
    "crossfade:app"         = "feedback"
    "crossfade:environment" = "prod"
    "crossfade:service"     = "web"
    "crossfade:colour"      = "blue"
    "crossfade:least"       = "2"
  }
  green = {
    name             = "feedback-prod-web-green"
    target_group_arn = module.alb.target_groups["web"].green.arn
    tags = {
      "crossfade:app"         = "feedback"
      "crossfade:environment" = "prod"
      "crossfade:service"     = "web"
      "crossfade:colour"      = "green"
      "crossfade:least"       = "2"
    }
  }
  desired  = 2
  min      = 2
  max      = 3
  cpu      = 70
  in_after = 600
  warmup   = 300
  refresh = {
    min_healthy      = 50
    max_healthy      = 150
    warmup           = 300
    checkpoints      = [50, 100]
    checkpoint_delay = 10
  }
  log_retention_days = 30
}

module "database" {
  source = "../../modules/database/host"

  name              = "feedback-prod-database"
  region            = var.region
  engine            = "mysql"
  engine_version    = "8.4"
  database_name     = "feedback"
  port              = 3306
  force_tls         = true
  instance_type     = "t3.small"
  storage_gib       = 20
  zone              = "ap-northeast-2a"
  subnet_id         = module.vpc.public_subnet_ids[0]
  security_group_id = module.security_groups.database_id
  public_address    = true
  backup_days       = 7
  backup_time       = "18:00"
}

module "iam" {
  source = "../../modules/security/iam"

  name              = local.name
  region            = var.region
  load_balancer_arn = module.alb.arn
  fargate           = false
  services = {
    web = {
      secret_arns     = [module.secrets.arns["DATABASE_URL"]]
      repository_arns = [module.ecr_web.repository_arn]
      log_group_arns  = [module.asg.log_group_arn]
    }
  }
  hosts = {
    namespaces = ["feedback"]
  }
}

module "secrets" {
  source = "../../modules/security/secrets"

  name = local.name
  secrets = {
    DATABASE_URL = {
      name = "feedback/prod/DATABASE_URL"
    }
  }
  warning_topic_arn = module.monitoring.warning_topic_arn
}

module "monitoring" {
  source = "../../modules/monitoring/cloudwatch"

  name              = local.name
  critical_contacts = ["oncall@feedback.example.com"]
  warning_contacts  = ["team@feedback.example.com"]
  alarms = [
    {
      on       = "unhealthy-hosts"
      limit    = 0
      minutes  = 2
      severity = "critical"
    },
    {
      on       = "errors"
      limit    = 10
      minutes  = 1
      severity = "critical"
    },
    {
      on       = "cpu"
      limit    = 80
      minutes  = 5
      severity = "warning"
    },
  ]
  hosts = {
    "hosts-blue" = {
      AutoScalingGroupName = module.asg.groups["hosts-blue"]
    }
    "hosts-green" = {
      AutoScalingGroupName = module.asg.groups["hosts-green"]
    }
  }
  load_balancer = {
    arn_suffix = module.alb.arn_suffix
    target_groups = {
      "web-blue"  = module.alb.target_groups["web"].blue.suffix
      "web-green" = module.alb.target_groups["web"].green.suffix
    }
  }
  log_days   = 30
  log_groups = [module.asg.log_group_name]
  dashboard  = true
}
