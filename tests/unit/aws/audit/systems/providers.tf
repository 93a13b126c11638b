terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region = "us-east-1"
}

variable "outside" { # a secret that comes from elsewhere
  type      = string
  sensitive = true
}
