mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  prefix  = "autopr/prod"
  names   = ["github-token", "openai-api-key"]
  key_arn = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"
}

run "by_default" {
  # the guide's names
  assert {
    condition     = aws_secretsmanager_secret.this["github-token"].name == "autopr/prod/github-token"
    error_message = "the secret has the guide's name"
  }
  assert {
    condition     = output.secrets["openai-api-key"].reference == "aws-sm://autopr/prod/openai-api-key"
    error_message = "settings get a reference"
  }
  # encrypted, and not gone by a slip
  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.this : secret.kms_key_id == var.key_arn && secret.recovery_window_in_days == 30])
    error_message = "secrets are encrypted with the key and can be had back for 30 days"
  }
}

run "refuses" {
  command = plan
  variables {
    names         = ["GitHub Token"]
    recovery_days = 3
  }
  expect_failures = [var.names, var.recovery_days]
}
