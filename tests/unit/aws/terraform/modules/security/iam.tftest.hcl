mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/one" }
  }
}

variables {
  name              = "codemate-prod"
  region            = "ap-northeast-2"
  load_balancer_arn = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:loadbalancer/app/codemate-prod/1"
  fargate           = true
  services = {
    frontend = {
      repository_arns = ["arn:aws:ecr:ap-northeast-2:123456789012:repository/codemate-prod/frontend"]
      log_group_arns  = ["arn:aws:logs:ap-northeast-2:123456789012:log-group:/ecs/codemate-prod-frontend"]
    }
    backend = {
      secret_arns     = ["arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:codemate/prod/JWT_SECRET-1"]
      repository_arns = ["arn:aws:ecr:ap-northeast-2:123456789012:repository/codemate-prod/backend"]
      bucket_arns     = ["arn:aws:s3:::codemate-prod-files-1"]
      log_group_arns  = ["arn:aws:logs:ap-northeast-2:123456789012:log-group:/ecs/codemate-prod-backend"]
    }
  }
}

run "starts_each_service_with_its_own_secrets" {
  module {
    source = "./modules/security/iam"
  }

  assert {
    condition = one([
      for statement in jsondecode(aws_iam_role_policy.execution["backend"].policy).Statement : statement
      if contains(statement.Action, "secretsmanager:GetSecretValue")
      ]) == {
      Sid      = "Secrets"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = ["arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:codemate/prod/JWT_SECRET-1"]
    }
    error_message = "A service is started with its own secrets, and reads no others."
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.execution["frontend"].policy, "secretsmanager")
    error_message = "A service without secrets reads none."
  }

  assert {
    condition = alltrue(flatten([
      for policy in aws_iam_role_policy.execution : [
        for statement in jsondecode(policy.policy).Statement :
        contains(statement.Resource, "*") ? statement.Action == ["ecr:GetAuthorizationToken"] : true
      ]
    ]))
    error_message = "Only the registry's token, which has no name, is for *."
  }
}

run "gives_each_service_its_own_buckets" {
  module {
    source = "./modules/security/iam"
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.task["backend"].policy).Statement : statement.Resource
    ] == [["arn:aws:s3:::codemate-prod-files-1"], ["arn:aws:s3:::codemate-prod-files-1/*"]]
    error_message = "A service reads and writes its own buckets, and nothing else."
  }

  assert {
    condition     = keys(aws_iam_role_policy.task) == ["backend"] && toset(keys(output.task_role_arn)) == toset(["backend", "frontend"])
    error_message = "A service that needs nothing has a role that may nothing."
  }

  assert {
    condition     = length(aws_iam_role.instance) == 0 && length(aws_iam_role.codedeploy) == 0 && length(aws_iam_role.deployer) == 0
    error_message = "Roles that nobody takes on are not there."
  }
}

run "traces_when_asked" {
  module {
    source = "./modules/security/iam"
  }

  variables {
    tracing = true
  }

  assert {
    condition     = alltrue([for service in ["frontend", "backend"] : strcontains(aws_iam_role_policy.task[service].policy, "xray:PutTraceSegments")])
    error_message = "With tracing, each service sends its traces."
  }
}

run "gives_hosts_what_they_need" {
  module {
    source = "./modules/security/iam"
  }

  variables {
    fargate = false
    services = {
      web = {
        secret_arns    = ["arn:aws:secretsmanager:us-east-1:123456789012:secret:shop/prod/KEY-1"]
        log_group_arns = ["arn:aws:logs:us-east-1:123456789012:log-group:/codemate-prod/hosts"]
      }
    }
    hosts = {
      namespaces      = ["BlueGreen/Application", "BlueGreen/Deployment"]
      agent_parameter = true
      log_group_arns  = ["arn:aws:logs:us-east-1:123456789012:log-group:/codemate-prod/access"]
      revisions       = { bucket_arn = "arn:aws:s3:::codemate-prod-revisions-1" }
    }
  }

  assert {
    condition = one([
      for statement in jsondecode(aws_iam_role_policy.instance[0].policy).Statement : statement.Condition
      if try(statement.Sid == "Metrics", false)
    ]) == { StringEquals = { "cloudwatch:namespace" = ["BlueGreen/Application", "BlueGreen/Deployment"] } }
    error_message = "Hosts report metrics under their own name only."
  }

  assert {
    condition = length(setintersection(
      flatten([for statement in jsondecode(aws_iam_role_policy.instance[0].policy).Statement : statement.Resource]),
      [
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop/prod/KEY-1",
        "arn:aws:ssm:ap-northeast-2:123456789012:parameter/AmazonCloudWatch-codemate-prod",
        "arn:aws:logs:us-east-1:123456789012:log-group:/codemate-prod/access:*",
        "arn:aws:s3:::codemate-prod-revisions-1/*",
      ],
    )) == 4
    error_message = "They read their secrets, the agent's configuration and revisions, and write their logs."
  }

  assert {
    condition     = length(aws_iam_role.execution) == 0 && output.instance_profile_name == "codemate-prod-host" && endswith(aws_iam_role_policy_attachment.session_manager[0].policy_arn, "AmazonSSMManagedInstanceCore")
    error_message = "Hosts have one profile, and are reached without SSH."
  }
}

run "lets_codedeploy_change_our_hosts_alone" {
  module {
    source = "./modules/security/iam"
  }

  variables {
    fargate  = false
    services = { web = {} }
    hosts    = { namespaces = ["shop"] }
    codedeploy = {
      target_group_arns = ["arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/blue/1"]
      topic_arn         = "arn:aws:sns:us-east-1:123456789012:warning"
      blue_green        = false
    }
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.codedeploy[0].policy).Statement :
      contains(statement.Resource, "*") ? alltrue([for action in statement.Action : can(regex(":(Describe|Get)", action))]) : true
    ])
    error_message = "What it changes has a name; for * it only looks."
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.codedeploy[0].policy, "RunInstances") && !strcontains(aws_iam_role_policy.codedeploy[0].policy, "PassRole")
    error_message = "In place it makes no hosts."
  }
}

run "lets_codedeploy_make_a_fleet" {
  module {
    source = "./modules/security/iam"
  }

  variables {
    fargate  = false
    services = { web = {} }
    hosts    = { namespaces = ["shop"] }
    codedeploy = {
      target_group_arns = ["arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/blue/1"]
      topic_arn         = "arn:aws:sns:us-east-1:123456789012:warning"
      blue_green        = true
    }
  }

  assert {
    condition = one([
      for statement in jsondecode(aws_iam_role_policy.codedeploy[0].policy).Statement : statement.Resource
      if contains(statement.Action, "iam:PassRole")
    ]) == [aws_iam_role.instance[0].arn]
    error_message = "For blue/green it makes hosts, with the role of hosts and no other."
  }
}

run "lets_a_branch_deploy_without_a_key" {
  module {
    source = "./modules/security/iam"
  }

  variables {
    deployer        = { github = "acme/shop", gitlab = "acme/shop", branch = "main", principals = ["arn:aws:iam::123456789012:role/release"] }
    deployer_policy = "deployer.json.tftpl"
  }

  assert {
    condition = one([
      for statement in jsondecode(aws_iam_role.deployer[0].assume_role_policy).Statement : statement.Condition.StringEquals
      if try(endswith(statement.Principal.Federated, "oidc-provider/token.actions.githubusercontent.com"), false)
      ]) == {
      "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
      "token.actions.githubusercontent.com:sub" = "repo:acme/shop:ref:refs/heads/main"
    }
    error_message = "Jobs of this branch of this repository take the role on, and no others."
  }

  assert {
    condition     = strcontains(aws_iam_role.deployer[0].assume_role_policy, "project_path:acme/shop:ref_type:branch:ref:main")
    error_message = "The same holds for GitLab."
  }

  assert {
    condition     = toset(keys(aws_iam_openid_connect_provider.this)) == toset(["gitlab.com", "token.actions.githubusercontent.com"])
    error_message = "The account learns of both."
  }

  assert {
    condition = length(setintersection(
      flatten([for statement in jsondecode(aws_iam_role_policy.deployer[0].policy).Statement : statement.Resource]),
      ["arn:aws:ecs:us-east-1:123456789012:service/shop-prod/shop-prod-web-blue", "arn:aws:iam::123456789012:role/shop-prod-web-task"],
    )) == 2
    error_message = "It has the policy that `crossfade infra rights` prints, in this account."
  }
}

run "does_not_make_what_the_account_has" {
  module {
    source = "./modules/security/iam"
  }

  variables {
    fargate         = false
    hosts           = { namespaces = ["shop"] }
    services        = { web = {} }
    deployer        = { gitlab = "acme/shop", providers = false }
    deployer_policy = "deployer.json.tftpl"
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.this) == 0
    error_message = "An account knows of GitLab only once."
  }
}
