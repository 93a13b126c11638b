mock_provider "aws" {}

variables {
  name               = "codemate-prod"
  monthly            = 700
  warning_topic_arn  = "arn:aws:sns:ap-northeast-2:123456789012:warning"
  critical_topic_arn = "arn:aws:sns:ap-northeast-2:123456789012:critical"
}

run "warns_of_the_forecast_and_of_the_bill" {
  module {
    source = "./modules/budgets"
  }

  assert {
    condition     = aws_budgets_budget.this.limit_amount == "700" && aws_budgets_budget.this.time_unit == "MONTHLY" && aws_budgets_budget.this.limit_unit == "USD"
    error_message = "The budget is 700 dollars a month."
  }

  assert {
    condition = {
      for notice in aws_budgets_budget.this.notification :
      notice.notification_type => [notice.threshold, notice.threshold_type, one(notice.subscriber_sns_topic_arns)]
      } == {
      FORECASTED = [80, "PERCENTAGE", "arn:aws:sns:ap-northeast-2:123456789012:warning"]
      ACTUAL     = [100, "PERCENTAGE", "arn:aws:sns:ap-northeast-2:123456789012:critical"]
    }
    error_message = "A forecast of 80 % is a warning, a bill of 100 % is critical."
  }

  assert {
    condition     = length(aws_budgets_budget.this.cost_filter) == 0
    error_message = "Without a tag it counts the whole account."
  }
}

run "counts_one_environment" {
  module {
    source = "./modules/budgets"
  }

  variables {
    environment      = "prod"
    forecast_percent = null
  }

  assert {
    condition     = one(aws_budgets_budget.this.cost_filter).name == "TagKeyValue" && one(aws_budgets_budget.this.cost_filter).values == tolist(["user:Environment$prod"])
    error_message = "Only what has the environment's tag is counted."
  }

  assert {
    condition     = [for notice in aws_budgets_budget.this.notification : notice.notification_type] == ["ACTUAL"]
    error_message = "A share that was taken back warns nobody."
  }
}
