mock_provider "aws" {
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0", latest_version = 7 }
  }

  mock_resource "aws_autoscaling_policy" {
    defaults = { arn = "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:1:autoScalingGroupName/shop:policyName/quiet" }
  }

  mock_data "aws_default_tags" {
    defaults = { tags = { Project = "shop" } }
  }
}

variables {
  name                  = "shop-prod"
  region                = "us-east-1"
  ports                 = [8080]
  instance_type         = "t3.small"
  subnet_ids            = ["subnet-1", "subnet-2"]
  security_group_id     = "sg-1"
  instance_profile_name = "shop-prod"
  target_group_arn      = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/blue/1"
  desired               = 2
  min                   = 2
  max                   = 3
  cpu                   = 70
  in_after              = 600
  refresh               = { min_healthy = 50, max_healthy = 150, warmup = 300, checkpoints = [50, 100], checkpoint_delay = 10 }
}

# Planned only: once applied, user data is the deploys' own.
run "processes_behind_nginx" {
  command = plan

  module {
    source = "./modules/compute/asg"
  }

  variables {
    folder          = "/opt/shop"
    command         = "node server.js --port $PORT"
    ports           = [3001, 3002]
    agent_parameter = "AmazonCloudWatch-shop-prod"
    instance_type   = "t4g.small"
    proxy = {
      listen       = 80
      balance      = "least_conn"
      max_fails    = 2
      fail_timeout = 30
      keepalive    = 32
      idle_timeout = 3600
      app_health   = "/health/deep"
      health       = "/health"
      websockets   = "/ws/"
      fresh        = { "/static/" = 2592000 }
    }
  }

  assert {
    condition = alltrue([
      for line in [
        "least_conn;", "server 127.0.0.1:3002 max_fails=2 fail_timeout=30s;", "keepalive 32;", "listen 80 default_server;",
        "location = /health {", "location = \"/health/deep\" {", "location /ws/ {", "proxy_read_timeout 3600s;",
        "max-age=2592000", "systemctl enable app@3001 app@3002", "'exec ''node server.js --port $PORT'", "aws-codedeploy-us-east-1",
        "ssm:AmazonCloudWatch-shop-prod", "if (!-e /opt/shop/current) {", "$http_upgrade",
      ] : strcontains(join("", [base64decode(aws_launch_template.this.user_data), local.nginx, local.start_app]), line)
    ])
    error_message = "nginx, processes, the agent and CodeDeploy are set up."
  }

  assert {
    condition     = !strcontains(base64decode(aws_launch_template.this.user_data), "docker") && aws_launch_template.this.metadata_options[0].http_put_response_hop_limit == 1 && endswith(aws_launch_template.this.image_id, "arm64")
    error_message = "Processes need no Docker, and keys reach no further than the host."
  }
}

run "containers_by_their_tag" {
  module {
    source = "./modules/compute/asg"
  }

  variables {
    image       = "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop-prod/web"
    image_tag   = "sha-0123456"
    environment = { MOTTO = "it's ${"$"}HOME\n# A release's own, to here." }
    secrets = {
      DB_PASSWORD = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!db-1:password::"
      TOKEN       = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop"
    }
  }

  assert {
    condition = (
      strcontains(base64decode(aws_launch_template.this.user_data), "--secret-id 'arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!db-1' --query SecretString --output text | python3 -c 'import json, sys; print(json.load(sys.stdin)[\"password\"])')\n") &&
      strcontains(base64decode(aws_launch_template.this.user_data), "TOKEN=$(aws secretsmanager get-secret-value --region 'us-east-1' --secret-id 'arn:aws:secretsmanager:us-east-1:123456789012:secret:shop' --query SecretString --output text)\n")
    )
    error_message = "A secret is read whole, or the part of it that is named."
  }

  assert {
    condition     = strcontains(base64decode(aws_launch_template.this.user_data), "\nIMAGE='123456789012.dkr.ecr.us-east-1.amazonaws.com/shop-prod/web:sha-0123456'\n")
    error_message = "User data carries the release's image on a line of its own."
  }

  assert {
    condition = (
      strcontains(base64decode(aws_launch_template.this.user_data), "export MOTTO='it'\\''s $HOME'$'\\n''# A release'\\''s own, to here.'\n") &&
      strcontains(base64decode(aws_launch_template.this.user_data), "--env MOTTO ") &&
      strcontains(base64decode(aws_launch_template.this.user_data), "NAMES=(CROSSFADE_RELEASE DB_PASSWORD TOKEN)") &&
      strcontains(base64decode(aws_launch_template.this.user_data), "--publish 8080:8080")
    )
    error_message = "Values reach the container by name, exactly as they were written, and none is a line of the script."
  }

  assert {
    condition     = !strcontains(base64decode(aws_launch_template.this.user_data), "nginx") && length(aws_launch_template.this.user_data) < 16384
    error_message = "Without a proxy there is no nginx, and EC2 takes the user data."
  }

  assert {
    condition = (
      aws_launch_template.this.metadata_options[0].http_tokens == "required" &&
      aws_launch_template.this.metadata_options[0].http_put_response_hop_limit == 2 &&
      aws_launch_template.this.block_device_mappings[0].ebs[0].encrypted == "true" &&
      endswith(aws_launch_template.this.image_id, "x86_64")
    )
    error_message = "IMDSv2 reaches containers, disks are encrypted."
  }

  assert {
    condition     = [for one in aws_launch_template.this.tag_specifications : one.tags["Project"]] == ["shop", "shop"]
    error_message = "Hosts and their disks have the provider's tags."
  }

  assert {
    condition = (
      aws_autoscaling_group.this.launch_template[0].version == "7" &&
      aws_autoscaling_group.this.health_check_type == "ELB" &&
      aws_autoscaling_group.this.health_check_grace_period == 300 &&
      aws_autoscaling_group.this.instance_refresh[0].preferences[0].min_healthy_percentage == 50 &&
      aws_autoscaling_group.this.instance_refresh[0].preferences[0].max_healthy_percentage == 150 &&
      aws_autoscaling_group.this.instance_refresh[0].preferences[0].auto_rollback
    )
    error_message = "Hosts are of a numbered version, which a refresh can go back from."
  }

  assert {
    condition = (
      aws_autoscaling_policy.cpu["blue"].target_tracking_configuration[0].target_value == 70 &&
      aws_cloudwatch_metric_alarm.quiet["blue"].threshold == 46 &&
      aws_cloudwatch_metric_alarm.quiet["blue"].period * aws_cloudwatch_metric_alarm.quiet["blue"].evaluation_periods == 600
    )
    error_message = "A third host comes at 70 % and goes after ten minutes below 46 %."
  }
}

run "two_groups_by_colour" {
  module {
    source = "./modules/compute/asg"
  }

  variables {
    image      = "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop-prod/web"
    group_name = "shop-prod-web-blue"
    tags       = { "crossfade:colour" = "blue", "crossfade:least" = "2" }
    green = {
      name             = "shop-prod-web-green"
      target_group_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/green/1"
      tags             = { "crossfade:colour" = "green", "crossfade:least" = "2" }
    }
  }

  assert {
    condition = (
      aws_autoscaling_group.this.name == "shop-prod-web-blue" && aws_autoscaling_group.this.desired_capacity == 2 &&
      aws_autoscaling_group.green[0].name == "shop-prod-web-green" && aws_autoscaling_group.green[0].desired_capacity == 0 &&
      aws_autoscaling_group.green[0].min_size == 0 && aws_autoscaling_group.green[0].max_size == 3
    )
    error_message = "Blue has the hosts at first, and green none."
  }

  assert {
    condition     = aws_launch_template.releases[0].name == "shop-prod-releases" && output.groups == { hosts-blue = "shop-prod-web-blue", hosts-green = "shop-prod-web-green" }
    error_message = "Deploys have a template of their own, and both groups are watched."
  }

  assert {
    condition     = aws_autoscaling_policy.cpu["green"].autoscaling_group_name == "shop-prod-web-green" && aws_cloudwatch_metric_alarm.quiet["green"].threshold == 46
    error_message = "Green scales as blue does."
  }
}

run "bounds_that_aws_refuses" {
  command = plan

  module {
    source = "./modules/compute/asg"
  }

  variables {
    refresh = { min_healthy = 0, max_healthy = 150, warmup = 0 }
  }

  expect_failures = [var.refresh]
}

run "processes_whose_release_a_deploy_says" {
  command = plan

  module {
    source = "./modules/compute/asg"
  }

  variables {
    folder    = "/opt/shop"
    command   = "node server.js\nRELEASE\ntouch /taken"
    ports     = [3001, 3002]
    secrets   = { TOKEN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop/prod/TOKEN-abc:part::" }
    revisions = "shop-prod-revisions-1"
    host_tags = { blue = { "crossfade:group" = "shop-prod-web-blue" }, green = { "crossfade:group" = "shop-prod-web-green" } }
    green     = { name = "shop-prod-web-green", target_group_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/green/1", tags = {} }
  }

  assert {
    condition = alltrue([
      for line in ["REVISION='s3://shop-prod-revisions-1/'", "COMMAND='node server.js'$'\\n''RELEASE'$'\\n''touch /taken'\n", "\nTOKEN=$(aws secretsmanager get-secret-value --region 'us-east-1' --secret-id 'arn:aws:secretsmanager:us-east-1:123456789012:secret:shop/prod/TOKEN-abc' --query SecretString --output text | python3 -c 'import json, sys; print(json.load(sys.stdin)[\"part\"])')\nexport TOKEN\n", "A release's own, to here."] :
      strcontains(base64decode(aws_launch_template.this.user_data), line)
    ]) && strcontains(local.start_app, ". /etc/app/release.sh\nexec /bin/sh -c \"exec $COMMAND\"") && !strcontains(local.start_app, "TOKEN")
    error_message = "What a release says is between the two lines, and processes source it."
  }

  assert {
    condition     = [for tag in aws_autoscaling_group.green[0].tag : tag.value if tag.propagate_at_launch] == ["shop-prod-web-green"]
    error_message = "CodeDeploy finds the hosts of a colour by their tag."
  }
}
