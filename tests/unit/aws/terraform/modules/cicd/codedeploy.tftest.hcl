mock_provider "aws" {
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::revisions-1", id = "revisions-1" }
  }
}

variables {
  name         = "bluegreen-prod"
  role_arn     = "arn:aws:iam::123456789012:role/bluegreen-prod-codedeploy"
  group        = "bluegreen-prod"
  target_group = "bluegreen-prod-web-blue"
  topic_arn    = "arn:aws:sns:us-east-1:123456789012:bluegreen-prod-warning"
  alarm_names  = ["bluegreen-prod-errors-visitors-10-critical"]
}

run "changes_hosts_one_at_a_time" {
  module {
    source = "./modules/cicd/codedeploy"
  }

  assert {
    condition = (
      one(aws_codedeploy_deployment_group.this[0].deployment_style).deployment_type == "IN_PLACE"
      && one(aws_codedeploy_deployment_group.this[0].deployment_style).deployment_option == "WITH_TRAFFIC_CONTROL"
      && aws_codedeploy_deployment_group.this[0].deployment_config_name == "CodeDeployDefault.OneAtATime"
      && aws_codedeploy_deployment_group.this[0].autoscaling_groups == toset(["bluegreen-prod"])
      && one(one(aws_codedeploy_deployment_group.this[0].load_balancer_info).target_group_info).name == "bluegreen-prod-web-blue"
    )
    error_message = "Hosts leave the balancer one at a time while they change."
  }

  assert {
    condition = (
      one(aws_codedeploy_deployment_group.this[0].auto_rollback_configuration).enabled
      && one(aws_codedeploy_deployment_group.this[0].auto_rollback_configuration).events == toset(["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"])
      && one(aws_codedeploy_deployment_group.this[0].alarm_configuration).alarms == toset(["bluegreen-prod-errors-visitors-10-critical"])
    )
    error_message = "A deployment that fails, or sets an alarm off, is taken back."
  }

  assert {
    condition     = aws_s3_bucket_versioning.revisions.versioning_configuration[0].status == "Enabled" && aws_s3_bucket_public_access_block.revisions.block_public_policy
    error_message = "Revisions are kept in a closed bucket."
  }
}

run "puts_a_new_fleet_beside_the_old" {
  module {
    source = "./modules/cicd/codedeploy"
  }

  variables {
    blue_green    = true
    configuration = "CodeDeployDefault.AllAtOnce"
    keep_minutes  = 60
    approve       = true
    alarm_names   = []
  }

  assert {
    condition = (
      one(aws_codedeploy_deployment_group.this[0].deployment_style).deployment_type == "BLUE_GREEN"
      && one(one(aws_codedeploy_deployment_group.this[0].blue_green_deployment_config).green_fleet_provisioning_option).action == "COPY_AUTO_SCALING_GROUP"
      && one(one(aws_codedeploy_deployment_group.this[0].blue_green_deployment_config).terminate_blue_instances_on_deployment_success).termination_wait_time_in_minutes == 60
    )
    error_message = "The old fleet stays for an hour after the switch."
  }

  assert {
    condition = (
      one(one(aws_codedeploy_deployment_group.this[0].blue_green_deployment_config).deployment_ready_option).action_on_timeout == "STOP_DEPLOYMENT"
      && one(one(aws_codedeploy_deployment_group.this[0].blue_green_deployment_config).deployment_ready_option).wait_time_in_minutes == 60
    )
    error_message = "The switch waits for somebody, and is given up after an hour."
  }

  assert {
    condition     = !one(aws_codedeploy_deployment_group.this[0].alarm_configuration).enabled
    error_message = "Without alarms there is nothing to watch."
  }
}

run "brings_revisions_by_colour_and_moves_nobody" {
  module {
    source = "./modules/cicd/codedeploy"
  }

  variables {
    group        = null
    target_group = null
    colours      = { bluegreen-prod-web-blue = "crossfade:group", bluegreen-prod-web-green = "crossfade:group" }
  }

  assert {
    condition = length(aws_codedeploy_deployment_group.this) == 0 && alltrue([
      for name, group in aws_codedeploy_deployment_group.colour :
      one(group.deployment_style).deployment_option == "WITHOUT_TRAFFIC_CONTROL"
      && group.deployment_config_name == "CodeDeployDefault.AllAtOnce"
      && one(one(group.ec2_tag_set).ec2_tag_filter).value == name
      && !one(group.auto_rollback_configuration).enabled
      && group.autoscaling_groups == null
    ])
    error_message = "A group for each colour, found by its hosts' tag, which takes nothing back."
  }
}

run "refuses_to_keep_a_fleet_for_longer_than_aws" {
  command = plan

  module {
    source = "./modules/cicd/codedeploy"
  }

  variables {
    keep_minutes = 2881
  }

  expect_failures = [var.keep_minutes]
}
