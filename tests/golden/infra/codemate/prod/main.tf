# Written by `crossfade infra init`. Yours to edit: an edited file is not overwritten.

locals {
  name = "codemate-prod"
}

module "vpc" {
  source = "../../modules/networking/vpc"

  name              = local.name
  region            = var.region
  cidr              = "10.0.0.0/16"
  zones             = ["ap-northeast-2a", "ap-northeast-2c"]
  public_subnets    = ["10.0.1.0/24", "10.0.2.0/24"]
  private_subnets   = ["10.0.11.0/24", "10.0.12.0/24"]
  database_subnets  = ["10.0.21.0/24", "10.0.22.0/24"]
  nat               = "per-zone"
  gateway_endpoints = ["s3"]
}

module "security_groups" {
  source = "../../modules/networking/security-groups"

  name          = local.name
  vpc_id        = module.vpc.vpc_id
  visitors      = ["0.0.0.0/0"]
  https         = true
  app_ports     = [3000, 3001]
  database_port = 5432
  cache_port    = 6379
}

module "alb" {
  source = "../../modules/networking/alb"

  name              = local.name
  vpc_id            = module.vpc.vpc_id
  subnet_ids        = module.vpc.public_subnet_ids
  security_group_id = module.security_groups.alb_id
  https             = true
  certificate_arn   = module.certificate.arn
  tls_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  idle_timeout      = 3600
  algorithm         = "round_robin"
  services = {
    frontend = {
      port        = 3000
      target_type = "ip"
      drain       = 300
      health = {
        path      = "/api/health"
        interval  = 30
        timeout   = 5
        healthy   = 2
        unhealthy = 3
        codes     = "200-299"
      }
      stickiness = {
        type    = "lb_cookie"
        seconds = 86400
      }
    }
    backend = {
      port        = 3001
      target_type = "ip"
      drain       = 300
      health = {
        path      = "/health"
        interval  = 30
        timeout   = 5
        healthy   = 2
        unhealthy = 3
        codes     = "200-299"
      }
      stickiness = {
        type    = "lb_cookie"
        seconds = 86400
      }
    }
  }
  rules = [
    {
      service = "backend"
      paths   = ["/socket.io", "/socket.io/*", "/api", "/api/*"]
    },
  ]
  default_service = "frontend"
  previews = [
    {
      service = "frontend"
      header  = "X-Crossfade-Preview"
    },
    {
      service = "backend"
      header  = "X-Crossfade-Preview"
    },
  ]
  deletion_protection = true
}

module "ecr_frontend" {
  source = "../../modules/compute/ecr"

  name         = "codemate-prod/frontend"
  keep         = 10
  expire_days  = 30
  immutable    = true
  scan_on_push = true
}

module "ecr_backend" {
  source = "../../modules/compute/ecr"

  name         = "codemate-prod/backend"
  keep         = 10
  expire_days  = 30
  immutable    = true
  scan_on_push = true
}

module "cluster" {
  source = "../../modules/compute/ecs-cluster"

  name               = local.name
  container_insights = false
}

module "service_frontend" {
  source = "../../modules/compute/ecs-service"

  name           = "codemate-prod-frontend"
  container_name = "frontend"
  region         = var.region
  cluster_arn    = module.cluster.arn
  cluster_name   = module.cluster.name
  image          = "${module.ecr_frontend.repository_url}:${var.image_tags["frontend"]}"
  port           = 3000
  cpu            = 512
  memory         = 1024
  architecture   = "X86_64"
  environment = {
    NEXTAUTH_URL      = "https://codemate.code1398.io"
    PORT              = "3000"
    CROSSFADE_RELEASE = var.image_tags["frontend"]
  }
  secrets = {
    NEXTAUTH_SECRET = module.secrets.arns["NEXTAUTH_SECRET"]
  }
  execution_role_arn = module.iam.execution_role_arn["frontend"]
  task_role_arn      = module.iam.task_role_arn["frontend"]
  subnet_ids         = module.vpc.private_subnet_ids
  security_group_id  = module.security_groups.app_id
  target_groups      = module.alb.target_groups["frontend"]
  desired            = 2
  scaling = {
    min       = 2
    max       = 5
    cpu       = 70
    out_after = 60
    in_after  = 300
  }
  health_grace       = 60
  stop_timeout       = 10
  log_retention_days = 30
}

module "service_backend" {
  source = "../../modules/compute/ecs-service"

  name           = "codemate-prod-backend"
  container_name = "backend"
  region         = var.region
  cluster_arn    = module.cluster.arn
  cluster_name   = module.cluster.name
  image          = "${module.ecr_backend.repository_url}:${var.image_tags["backend"]}"
  port           = 3001
  cpu            = 1024
  memory         = 2048
  architecture   = "X86_64"
  environment = {
    DATABASE_HOST     = module.database.address
    DATABASE_PORT     = "5432"
    DATABASE_NAME     = "codemate"
    DATABASE_USER     = "app"
    REDIS_HOST        = module.cache.endpoint
    REDIS_PORT        = "6379"
    AWS_S3_BUCKET     = module.bucket_files.id
    AWS_REGION        = var.region
    PORT              = "3001"
    CROSSFADE_RELEASE = var.image_tags["backend"]
  }
  secrets = {
    DATABASE_URL      = module.secrets.arns["DATABASE_URL"]
    JWT_SECRET        = module.secrets.arns["JWT_SECRET"]
    LLM_API_KEY       = module.secrets.arns["LLM_API_KEY"]
    DATABASE_PASSWORD = "${module.database.secret_arn}:password::"
  }
  execution_role_arn = module.iam.execution_role_arn["backend"]
  task_role_arn      = module.iam.task_role_arn["backend"]
  subnet_ids         = module.vpc.private_subnet_ids
  security_group_id  = module.security_groups.app_id
  target_groups      = module.alb.target_groups["backend"]
  desired            = 2
  scaling = {
    min       = 2
    max       = 6
    cpu       = 70
    memory    = 80
    out_after = 60
    in_after  = 300
  }
  health_grace       = 60
  stop_timeout       = 10
  log_retention_days = 30
}

module "database" {
  source = "../../modules/database/rds"

  name               = local.name
  engine             = "postgres"
  engine_version     = "17"
  family             = "postgres17"
  instance_class     = "db.t4g.small"
  database_name      = "codemate"
  port               = 5432
  storage_gib        = 50
  max_storage_gib    = 100
  multi_az           = true
  backup_days        = 7
  backup_window      = "18:00-19:00"
  maintenance_window = "sun:19:00-sun:20:00"
  parameters = {
    max_connections = "100"
  }
  force_tls          = true
  subnet_ids         = module.vpc.database_subnet_ids
  security_group_id  = module.security_groups.database_id
  protect            = true
  log_retention_days = 30
}

module "cache" {
  source = "../../modules/database/elasticache"

  name               = local.name
  engine             = "redis"
  engine_version     = "7.1"
  family             = "redis7"
  node_type          = "cache.t4g.small"
  shards             = 1
  cluster            = true
  replicas           = 1
  policy             = "volatile-lru"
  port               = 6379
  snapshot_days      = 5
  snapshot_window    = "19:00-20:00"
  subnet_ids         = module.vpc.database_subnet_ids
  security_group_id  = module.security_groups.cache_id
  log_retention_days = 30
}

module "bucket_files" {
  source = "../../modules/storage/s3"

  name      = "codemate-prod-files"
  versioned = true
  moves = [
    {
      days  = 30
      class = "STANDARD_IA"
    },
    {
      days  = 90
      class = "GLACIER_IR"
    },
    {
      days  = 365
      class = "DEEP_ARCHIVE"
    },
  ]
  cors_origins = ["https://codemate.code1398.io"]
  cors_methods = ["GET", "PUT", "POST", "DELETE"]
  cors_seconds = 3000
}

module "bucket_static" {
  source = "../../modules/storage/s3"

  name            = "codemate-prod-static"
  versioned       = false
  expire_old_days = 30
  distributions   = [module.cdn.arn]
}

module "bucket_logs" {
  source = "../../modules/storage/s3"

  name      = "codemate-prod-logs"
  versioned = true
  moves = [
    {
      days  = 90
      class = "GLACIER"
    },
  ]
  expire_days = 365
}

module "dns" {
  source = "../../modules/delivery/route53"

  zone_name = "codemate.code1398.io"
  create    = true
  aliases = {
    "codemate.code1398.io" = {
      dns_name = module.cdn.domain_name
      zone_id  = module.cdn.zone_id
      ipv6     = true
    }
  }
  ttl = 300
}

module "certificate" {
  source = "../../modules/delivery/acm"

  domain_name = "codemate.code1398.io"
  zone_id     = module.dns.zone_id
  ttl         = 300
}

module "edge_certificate" {
  source = "../../modules/delivery/acm"

  providers = {
    aws = aws.global
  }
  domain_name = "codemate.code1398.io"
  zone_id     = module.dns.zone_id
  ttl         = 300
}

module "cdn" {
  source = "../../modules/delivery/cdn"

  name            = local.name
  balancer        = module.alb.dns_name
  https           = true
  aliases         = ["codemate.code1398.io"]
  certificate_arn = module.edge_certificate.arn
  price_class     = "PriceClass_200"
  keep            = 86400
  never           = ["/api/*", "/socket.io/*"]
  bucket          = module.bucket_static.regional_domain_name
  files = {
    "/_next/static/*" = 31536000
  }
}

module "iam" {
  source = "../../modules/security/iam"

  name              = local.name
  region            = var.region
  load_balancer_arn = module.alb.arn
  fargate           = true
  services = {
    frontend = {
      secret_arns     = [module.secrets.arns["NEXTAUTH_SECRET"]]
      repository_arns = [module.ecr_frontend.repository_arn]
      bucket_arns     = [module.bucket_files.arn, module.bucket_static.arn, module.bucket_logs.arn]
      log_group_arns  = [module.service_frontend.log_group_arn]
    }
    backend = {
      secret_arns = [
        module.secrets.arns["DATABASE_URL"],
        module.secrets.arns["JWT_SECRET"],
        module.secrets.arns["LLM_API_KEY"],
        module.database.secret_arn,
      ]
      repository_arns = [module.ecr_backend.repository_arn]
      bucket_arns     = [module.bucket_files.arn, module.bucket_static.arn, module.bucket_logs.arn]
      log_group_arns  = [module.service_backend.log_group_arn]
    }
  }
}

module "secrets" {
  source = "../../modules/security/secrets"

  name = local.name
  secrets = {
    DATABASE_URL = {
      name = "codemate/prod/DATABASE_URL"
    }
    NEXTAUTH_SECRET = {
      name = "codemate/prod/NEXTAUTH_SECRET"
    }
    JWT_SECRET = {
      name        = "codemate/prod/JWT_SECRET"
      rotate_days = 90
    }
    LLM_API_KEY = {
      name = "codemate/prod/LLM_API_KEY"
    }
    SESSION_SECRET = {
      name = "codemate/prod/SESSION_SECRET"
    }
    OAUTH_CLIENT_SECRET = {
      name = "codemate/prod/OAUTH_CLIENT_SECRET"
    }
    GITHUB_TOKEN = {
      name = "codemate/prod/GITHUB_TOKEN"
    }
    SMTP_PASSWORD = {
      name = "codemate/prod/SMTP_PASSWORD"
    }
    WEBHOOK_SECRET = {
      name = "codemate/prod/WEBHOOK_SECRET"
    }
  }
  warning_topic_arn = module.monitoring.warning_topic_arn
}

module "monitoring" {
  source = "../../modules/monitoring/cloudwatch"

  name              = local.name
  critical_contacts = ["oncall@code1398.io"]
  warning_contacts  = ["team@code1398.io"]
  alarms = [
    {
      on       = "cpu"
      limit    = 80
      minutes  = 5
      severity = "warning"
    },
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
      on       = "db-connections"
      limit    = 80
      minutes  = 5
      severity = "warning"
    },
  ]
  cluster = {
    name = module.cluster.name
    services = {
      "frontend-blue"  = module.service_frontend.names["blue"]
      "frontend-green" = module.service_frontend.names["green"]
      "backend-blue"   = module.service_backend.names["blue"]
      "backend-green"  = module.service_backend.names["green"]
    }
  }
  load_balancer = {
    arn_suffix = module.alb.arn_suffix
    target_groups = {
      "frontend-blue"  = module.alb.target_groups["frontend"].blue.suffix
      "frontend-green" = module.alb.target_groups["frontend"].green.suffix
      "backend-blue"   = module.alb.target_groups["backend"].blue.suffix
      "backend-green"  = module.alb.target_groups["backend"].green.suffix
    }
  }
  database = {
    identifier  = module.database.identifier
    storage_gib = 50
  }
  cache = {
    group    = module.cache.replication_group_id
    shards   = 1
    replicas = 1
    cluster  = true
  }
  log_days   = 30
  log_groups = [module.service_frontend.log_group_name, module.service_backend.log_group_name]
  dashboard  = true
  cloudtrail = true
  guardduty  = true
}

module "budget" {
  source = "../../modules/budgets"

  name               = local.name
  monthly            = 700
  forecast_percent   = 80
  actual_percent     = 100
  warning_topic_arn  = module.monitoring.warning_topic_arn
  critical_topic_arn = module.monitoring.critical_topic_arn
}

module "pipeline" {
  source = "../../modules/cicd/codepipeline"

  name       = local.name
  region     = var.region
  host       = "GitHub"
  repository = "codemate/codemate"
  branch     = "main"
  services = {
    frontend = {
      repository_url  = module.ecr_frontend.repository_url
      repository_arn  = module.ecr_frontend.repository_arn
      repository_name = module.ecr_frontend.repository_name
    }
    backend = {
      repository_url  = module.ecr_backend.repository_url
      repository_arn  = module.ecr_backend.repository_arn
      repository_name = module.ecr_backend.repository_name
    }
  }
  environment     = "prod"
  crossfade       = "crossfade[aws]"
  deployer_policy = "${path.module}/deployer.json.tftpl"
  approve         = true
  topic_arn       = module.monitoring.warning_topic_arn
  size            = "small"
  log_days        = 30
}
