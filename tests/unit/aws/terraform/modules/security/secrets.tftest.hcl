mock_provider "aws" {
  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:one-1" }
  }
}

variables {
  name              = "tiketi-prod"
  warning_topic_arn = "arn:aws:sns:ap-northeast-2:123456789012:tiketi-prod-warning"
  secrets = {
    DB_PASSWORD = { name = "tiketi/db/password", rotate_days = 90 }
    API_KEY     = { name = "tiketi/prod/API_KEY" }
  }
}

run "has_secrets_without_values" {
  module {
    source = "./modules/security/secrets"
  }

  assert {
    condition     = output.names == { API_KEY = "tiketi/prod/API_KEY", DB_PASSWORD = "tiketi/db/password" }
    error_message = "Each variable has the secret of its name."
  }

  assert {
    condition     = aws_secretsmanager_secret.this["DB_PASSWORD"].recovery_window_in_days == 7
    error_message = "A deleted secret can be taken back for a week."
  }
}

run "reminds_of_a_secret_that_is_due" {
  module {
    source = "./modules/security/secrets"
  }

  assert {
    condition     = keys(aws_cloudwatch_event_rule.due) == ["DB_PASSWORD"] && aws_cloudwatch_event_rule.due["DB_PASSWORD"].schedule_expression == "rate(90 days)"
    error_message = "A secret with an age has a reminder every 90 days, one without has none."
  }

  assert {
    condition     = aws_secretsmanager_secret.this["DB_PASSWORD"].tags == tomap({ RotateEvery = "90d" })
    error_message = "The secret itself says how often it changes."
  }

  assert {
    condition = (
      aws_cloudwatch_event_target.due["DB_PASSWORD"].arn == "arn:aws:sns:ap-northeast-2:123456789012:tiketi-prod-warning"
      && strcontains(jsondecode(aws_cloudwatch_event_target.due["DB_PASSWORD"].input), "tiketi/db/password (DB_PASSWORD) is due")
    )
    error_message = "Those who are told of warnings read which secret it is."
  }
}

run "writes_a_single_day_as_eventbridge_wants_it" {
  module {
    source = "./modules/security/secrets"
  }

  variables {
    secrets = { TOKEN = { name = "tiketi/prod/TOKEN", rotate_days = 1 } }
  }

  assert {
    condition     = aws_cloudwatch_event_rule.due["TOKEN"].schedule_expression == "rate(1 day)"
    error_message = "One day is written in the singular."
  }
}
