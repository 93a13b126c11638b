mock_provider "aws" {}

variables {
  name = "shop-prod/web"
}

run "images_are_scanned_and_the_newest_stay" {
  command = plan

  module {
    source = "./modules/compute/ecr"
  }

  assert {
    condition = (
      aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE" &&
      aws_ecr_repository.this.image_scanning_configuration[0].scan_on_push &&
      !aws_ecr_repository.this.force_delete
    )
    error_message = "Tags do not move, images are scanned, and a full repository is not deleted."
  }

  assert {
    condition     = [for rule in jsondecode(aws_ecr_lifecycle_policy.this.policy).rules : rule.selection.countNumber] == [30, 10]
    error_message = "Untagged images go after 30 days, and ten stay."
  }
}

run "tags_may_move" {
  command = plan

  module {
    source = "./modules/compute/ecr"
  }

  variables {
    immutable = false
    keep      = 0
  }

  expect_failures = [var.keep]
}
