mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/one" }
  }

  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::artifacts-1", id = "artifacts-1" }
  }

  mock_resource "aws_codeconnections_connection" {
    defaults = { arn = "arn:aws:codeconnections:ap-northeast-2:123456789012:connection/1" }
  }

  mock_resource "aws_codebuild_project" {
    defaults = { arn = "arn:aws:codebuild:ap-northeast-2:123456789012:project/one" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:ap-northeast-2:123456789012:log-group:1" }
  }
}

variables {
  name       = "codemate-prod"
  region     = "ap-northeast-2"
  repository = "codemate/codemate"
  branch     = "main"
  services = {
    frontend = {
      repository_url  = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/codemate-prod/frontend"
      repository_arn  = "arn:aws:ecr:ap-northeast-2:123456789012:repository/codemate-prod/frontend"
      repository_name = "codemate-prod/frontend"
    }
    backend = {
      repository_url  = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/codemate-prod/backend"
      repository_arn  = "arn:aws:ecr:ap-northeast-2:123456789012:repository/codemate-prod/backend"
      repository_name = "codemate-prod/backend"
    }
  }
  environment     = "prod"
  crossfade       = "crossfade[aws]"
  deployer_policy = "deployer.json.tftpl"
  topic_arn       = "arn:aws:sns:ap-northeast-2:123456789012:codemate-prod-warning"
}

run "makes_a_release_of_a_push" {
  module {
    source = "./modules/cicd/codepipeline"
  }

  assert {
    condition     = [for stage in aws_codepipeline.this.stage : stage.name] == ["Source", "Build", "Deploy"]
    error_message = "A push is fetched, built and deployed."
  }

  assert {
    condition = (
      aws_codepipeline.this.stage[0].action[0].configuration.FullRepositoryId == "codemate/codemate"
      && aws_codepipeline.this.stage[0].action[0].configuration.BranchName == "main"
      && aws_codepipeline.this.stage[0].action[0].configuration.DetectChanges == "true"
    )
    error_message = "Pushes to the branch start it."
  }

  assert {
    condition = (
      length(aws_codepipeline.this.stage[2].action) == 1 &&
      aws_codepipeline.this.stage[2].action[0].input_artifacts == tolist(["source", "image_backend", "image_frontend"]) &&
      aws_codepipeline.this.stage[2].action[0].configuration.ProjectName == "codemate-prod-release"
    )
    error_message = "One deploy gets the images of all services: they come out together."
  }

  assert {
    condition = (
      length(aws_codepipeline.this.stage[1].action) == 2
      && { for variable in one(aws_codebuild_project.this["backend"].environment).environment_variable : variable.name => variable.value }.SERVICE == "backend"
      && one(aws_codebuild_project.this["backend"].environment).compute_type == "BUILD_GENERAL1_SMALL"
      && one(aws_codebuild_project.this["backend"].source).buildspec == "infrastructure/deploy/buildspec.yml"
    )
    error_message = "Each service is built by the specification of the repository."
  }

  assert {
    condition     = aws_cloudwatch_event_target.failed.arn == "arn:aws:sns:ap-northeast-2:123456789012:codemate-prod-warning" && strcontains(aws_cloudwatch_event_rule.failed.event_pattern, "FAILED")
    error_message = "A failure is told."
  }
}

run "waits_for_somebody" {
  module {
    source = "./modules/cicd/codepipeline"
  }

  variables {
    approve = true
  }

  assert {
    condition     = [for stage in aws_codepipeline.this.stage : stage.name] == ["Source", "Build", "Approve", "Deploy"] && aws_codepipeline.this.stage[2].action[0].provider == "Manual"
    error_message = "Somebody agrees before the deploy."
  }
}

run "brings_the_site_after_the_services" {
  module {
    source = "./modules/cicd/codepipeline"
  }

  variables {
    site = {
      build            = "npm ci && npm run build"
      folder           = "build"
      bucket           = "site-1"
      bucket_arn       = "arn:aws:s3:::site-1"
      distribution_id  = "E1"
      distribution_arn = "arn:aws:cloudfront::123456789012:distribution/E1"
    }
  }

  assert {
    condition     = { for action in aws_codepipeline.this.stage[2].action : action.name => action.run_order }.site == 2
    error_message = "The site comes when the API it asks is there."
  }

  assert {
    condition     = { for variable in one(aws_codebuild_project.this["site"].environment).environment_variable : variable.name => variable.value } == { BUILD = "npm ci && npm run build", FOLDER = "build", BUCKET = "site-1", DISTRIBUTION = "E1" }
    error_message = "Its build knows where it goes."
  }

  assert {
    condition     = !one(aws_codebuild_project.this["site"].environment).privileged_mode && one(aws_codebuild_project.this["frontend"].environment).privileged_mode
    error_message = "Only builds of images have a Docker of their own."
  }

  assert {
    condition = one([
      for statement in jsondecode(aws_iam_role_policy.build.policy).Statement : statement.Resource
      if contains(statement.Action, "cloudfront:CreateInvalidation")
    ]) == ["arn:aws:cloudfront::123456789012:distribution/E1"]
    error_message = "It invalidates its own distribution."
  }
}

run "may_only_what_it_does" {
  module {
    source = "./modules/cicd/codepipeline"
  }

  assert {
    condition = alltrue(flatten([
      for policy in [aws_iam_role_policy.pipeline.policy, aws_iam_role_policy.build.policy] : [
        for statement in jsondecode(policy).Statement :
        contains(statement.Resource, "*") ? alltrue([for action in statement.Action : can(regex(":(Describe|Get|List)", action))]) : true
      ]
    ]))
    error_message = "What it changes has a name; for * it only looks."
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.pipeline.policy, "PassRole") && !strcontains(aws_iam_role_policy.pipeline.policy, "ecs:")
    error_message = "The pipeline itself changes no service."
  }

  assert {
    condition = one([
      for statement in jsondecode(aws_iam_role_policy.deploy.policy).Statement : statement.Resource
      if contains(statement.Action, "ecs:UpdateService")
    ]) == ["arn:aws:ecs:us-east-1:123456789012:service/shop-prod/shop-prod-web-blue", "arn:aws:ecs:us-east-1:123456789012:service/shop-prod/shop-prod-web-green"]
    error_message = "What deploys has the policy that `crossfade infra rights` prints."
  }

  assert {
    condition     = aws_s3_bucket_public_access_block.artifacts.restrict_public_buckets && strcontains(aws_s3_bucket_policy.artifacts.policy, "aws:SecureTransport")
    error_message = "Artifacts are closed and travel encrypted."
  }
}

run "builds_for_arm_on_arm" {
  module {
    source = "./modules/cicd/codepipeline"
  }

  variables {
    arm  = true
    size = "large"
    host = "GitLab"
  }

  assert {
    condition     = one(aws_codebuild_project.this["backend"].environment).type == "ARM_CONTAINER" && one(aws_codebuild_project.this["backend"].environment).compute_type == "BUILD_GENERAL1_LARGE"
    error_message = "Images are built on the processor they run on."
  }

  assert {
    condition     = aws_codeconnections_connection.source.provider_type == "GitLab"
    error_message = "The repository may be GitLab's."
  }
}
