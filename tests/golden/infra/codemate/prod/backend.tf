# Written by `crossfade infra init`. Yours to edit: an edited file is not overwritten.

terraform {
  backend "s3" {
    bucket         = "codemate-terraform-state"
    key            = "codemate/prod/terraform.tfstate"
    region         = "ap-northeast-2"
    dynamodb_table = "codemate-terraform-lock"
    encrypt        = true
  }
}
