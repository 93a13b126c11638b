# The pipeline moves artifacts and starts builds; builds push images and upload the site; the release has the rights of
# whoever deploys.

locals {
  artifacts = [
    {
      Sid      = "Artifacts"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
      Resource = ["${aws_s3_bucket.artifacts.arn}/*"]
    },
    {
      Sid      = "ArtifactBucket"
      Effect   = "Allow"
      Action   = ["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"]
      Resource = [aws_s3_bucket.artifacts.arn]
    },
    {
      Sid      = "Source"
      Effect   = "Allow"
      Action   = ["codeconnections:UseConnection", "codestar-connections:UseConnection"]
      Resource = [aws_codeconnections_connection.source.arn]
    },
  ]
}

resource "aws_iam_role" "pipeline" {
  name = "${var.name}-pipeline"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "codepipeline.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
    ]
  })
}

resource "aws_iam_role_policy" "pipeline" {
  name = "run"
  role = aws_iam_role.pipeline.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.artifacts, [
      {
        Sid      = "Builds"
        Effect   = "Allow"
        Action   = ["codebuild:BatchGetBuilds", "codebuild:StartBuild"]
        Resource = concat([for project in aws_codebuild_project.this : project.arn], [aws_codebuild_project.release.arn])
      },
      {
        Sid      = "Approval"
        Effect   = "Allow"
        Action   = ["sns:Publish"]
        Resource = [var.topic_arn]
      },
    ])
  })
}

resource "aws_iam_role" "build" {
  name = "${var.name}-build"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "codebuild.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
    ]
  })
}

resource "aws_iam_role_policy" "build" {
  name = "build"
  role = aws_iam_role.build.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      local.artifacts,
      [
        {
          Sid      = "Logs"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = [for group in aws_cloudwatch_log_group.builds : "${group.arn}:*"]
        },
        {
          Sid      = "Token"
          Effect   = "Allow"
          Action   = ["ecr:GetAuthorizationToken"]
          Resource = ["*"] # a token is for the account's registry, which has no ARN
        },
        {
          Sid    = "Images"
          Effect = "Allow"
          Action = [
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:CompleteLayerUpload",
            "ecr:DescribeImages",
            "ecr:GetDownloadUrlForLayer",
            "ecr:InitiateLayerUpload",
            "ecr:PutImage",
            "ecr:UploadLayerPart",
          ]
          Resource = [for service in var.services : service.repository_arn]
        },
      ],
      flatten([for site in var.site[*] : [
        {
          Sid      = "SiteBucket"
          Effect   = "Allow"
          Action   = ["s3:ListBucket"]
          Resource = [site.bucket_arn]
        },
        {
          Sid      = "SiteFiles"
          Effect   = "Allow"
          Action   = ["s3:DeleteObject", "s3:PutObject"]
          Resource = ["${site.bucket_arn}/*"]
        },
        {
          Sid      = "SiteEdge"
          Effect   = "Allow"
          Action   = ["cloudfront:CreateInvalidation"]
          Resource = [site.distribution_arn]
        },
      ]]),
    )
  })
}

resource "aws_iam_role" "release" {
  name               = "${var.name}-release"
  assume_role_policy = aws_iam_role.build.assume_role_policy
}

resource "aws_iam_role_policy" "release" {
  name = "run"
  role = aws_iam_role.release.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.artifacts, [
      {
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.release.arn}:*"]
      },
    ])
  })
}

resource "aws_iam_role_policy" "deploy" {
  name = "deploy"
  role = aws_iam_role.release.id
  # `crossfade infra rights` prints the same.
  policy = templatefile(var.deployer_policy, { partition = local.partition, account = local.account })
}
