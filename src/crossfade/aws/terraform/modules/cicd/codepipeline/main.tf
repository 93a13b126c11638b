# A push becomes a release: source, a build for each service at the same time, approval, and crossfade, which brings all
# of them out together. An ECS action for each would move one service behind the other's back.

data "aws_partition" "current" {}

locals {
  builds    = merge(var.services, { for site in var.site[*] : "site" => site })
  account   = split(":", var.topic_arn)[4]         # from an ARN, so that no plan has to ask AWS who we are
  partition = data.aws_partition.current.partition # aws, aws-cn or aws-us-gov
}

# Somebody has to agree to this connection once, in the console: until then it is PENDING, and the pipeline waits.
resource "aws_codeconnections_connection" "source" {
  name          = substr(var.name, 0, 32)
  provider_type = var.host
}

resource "aws_codepipeline" "this" {
  name          = var.name
  role_arn      = aws_iam_role.pipeline.arn
  pipeline_type = "V1"

  artifact_store {
    type     = "S3"
    location = aws_s3_bucket.artifacts.id
  }

  stage {
    name = "Source"

    action {
      name             = "Source"
      category         = "Source"
      owner            = "AWS"
      provider         = "CodeStarSourceConnection"
      version          = "1"
      output_artifacts = ["source"]

      configuration = {
        ConnectionArn        = aws_codeconnections_connection.source.arn
        FullRepositoryId     = var.repository
        BranchName           = var.branch
        DetectChanges        = "true"
        OutputArtifactFormat = "CODEBUILD_CLONE_REF" # with history, so that a build sees the commit's version tags
      }
    }
  }

  stage {
    name = "Build"

    dynamic "action" {
      for_each = var.services

      content {
        name             = action.key
        category         = "Build"
        owner            = "AWS"
        provider         = "CodeBuild"
        version          = "1"
        input_artifacts  = ["source"]
        output_artifacts = ["image_${replace(action.key, "-", "_")}"]

        configuration = {
          ProjectName = aws_codebuild_project.this[action.key].name
        }
      }
    }
  }

  dynamic "stage" {
    for_each = var.approve ? ["Approve"] : []

    content {
      name = stage.value

      action {
        name     = "Approve"
        category = "Approval"
        owner    = "AWS"
        provider = "Manual"
        version  = "1"

        configuration = {
          NotificationArn = var.topic_arn
          CustomData      = "Deploy ${var.repository} (${var.branch}) to ${var.name}?"
        }
      }
    }
  }

  stage {
    name = "Deploy"

    action {
      name            = "release"
      category        = "Build"
      owner           = "AWS"
      provider        = "CodeBuild"
      version         = "1"
      input_artifacts = concat(["source"], [for name in keys(var.services) : "image_${replace(name, "-", "_")}"])

      configuration = {
        ProjectName   = aws_codebuild_project.release.name
        PrimarySource = "source"
      }
    }

    # After the services: the new site may ask for what only the new API has.
    dynamic "action" {
      for_each = var.site[*]

      content {
        name            = "site"
        category        = "Build"
        owner           = "AWS"
        provider        = "CodeBuild"
        version         = "1"
        run_order       = 2
        input_artifacts = ["source"]

        configuration = {
          ProjectName = aws_codebuild_project.this["site"].name
        }
      }
    }
  }
}

# A release that stops on its way is told.
resource "aws_cloudwatch_event_rule" "failed" {
  name        = "${var.name}-pipeline-failed"
  description = "The pipeline of ${var.name} failed"

  event_pattern = jsonencode({
    source        = ["aws.codepipeline"]
    "detail-type" = ["CodePipeline Pipeline Execution State Change"]
    detail        = { pipeline = [aws_codepipeline.this.name], state = ["FAILED"] }
  })
}

resource "aws_cloudwatch_event_target" "failed" {
  rule = aws_cloudwatch_event_rule.failed.name
  arn  = var.topic_arn
}
