# A project of CodeBuild for each service, and one for the site. What they do stands in the repository.

resource "aws_cloudwatch_log_group" "builds" {
  for_each = local.builds

  name              = "/${var.name}/build/${each.key}"
  retention_in_days = var.log_days
}

resource "aws_codebuild_project" "this" {
  for_each = local.builds

  name          = "${var.name}-${each.key}"
  description   = "Builds ${each.key} of ${var.name}"
  service_role  = aws_iam_role.build.arn
  build_timeout = 30

  artifacts {
    type = "CODEPIPELINE"
  }

  source {
    type      = "CODEPIPELINE"
    buildspec = "${var.folder}/${each.key == "site" ? "buildspec-site.yml" : "buildspec.yml"}"
  }

  # Layers of the last image are kept on the machine while it is warm.
  cache {
    type  = each.key == "site" ? "NO_CACHE" : "LOCAL"
    modes = each.key == "site" ? [] : ["LOCAL_DOCKER_LAYER_CACHE"]
  }

  environment {
    compute_type    = "BUILD_GENERAL1_${upper(var.size)}"
    type            = var.arm ? "ARM_CONTAINER" : "LINUX_CONTAINER"
    image           = var.arm ? "aws/codebuild/amazonlinux-aarch64-standard:3.0" : "aws/codebuild/amazonlinux-x86_64-standard:5.0"
    privileged_mode = each.key != "site" # images are built by a Docker of the machine's own

    dynamic "environment_variable" {
      for_each = each.key == "site" ? {
        BUILD        = var.site.build
        FOLDER       = var.site.folder
        BUCKET       = var.site.bucket
        DISTRIBUTION = var.site.distribution_id
        } : {
        SERVICE         = each.key
        REPOSITORY_URL  = each.value.repository_url
        REPOSITORY_NAME = each.value.repository_name
        LATEST          = tostring(var.latest)
      }

      content {
        name  = environment_variable.key
        value = environment_variable.value
      }
    }
  }

  logs_config {
    cloudwatch_logs {
      group_name = aws_cloudwatch_log_group.builds[each.key].name
    }
  }
}

# What deploys. When it is ended half-way, whoever deploys next goes on from there or takes it back.
resource "aws_cloudwatch_log_group" "release" {
  name              = "/${var.name}/build/release"
  retention_in_days = var.log_days
}

resource "aws_codebuild_project" "release" {
  name          = "${var.name}-release"
  description   = "Deploys ${var.name}"
  service_role  = aws_iam_role.release.arn
  build_timeout = 480 # bakes take the time that the file says

  artifacts {
    type = "CODEPIPELINE"
  }

  source {
    type      = "CODEPIPELINE"
    buildspec = "${var.folder}/buildspec-release.yml"
  }

  environment {
    compute_type = "BUILD_GENERAL1_SMALL" # it waits most of the time
    type         = "LINUX_CONTAINER"
    image        = "aws/codebuild/amazonlinux-x86_64-standard:5.0"

    environment_variable {
      name  = "ENVIRONMENT"
      value = var.environment
    }

    environment_variable {
      name  = "CROSSFADE"
      value = var.crossfade
    }
  }

  logs_config {
    cloudwatch_logs {
      group_name = aws_cloudwatch_log_group.release.name
    }
  }
}
