# Written by `crossfade infra init`. Yours to edit: an edited file is not overwritten.

terraform {
  backend "s3" {
    bucket         = "feedback-terraform-state"
    key            = "feedback/dev/terraform.tfstate"
    region         = "ap-northeast-2"
    dynamodb_table = "feedback-terraform-lock"
    encrypt        = true
  }
}
