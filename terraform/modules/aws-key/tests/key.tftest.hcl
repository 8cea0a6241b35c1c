mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name = "test"
}

run "by_default" {
  # turned once a year
  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "the key is rotated"
  }
  # no action with a wildcard, for nobody
  assert {
    condition     = alltrue([for statement in jsondecode(aws_kms_key.this.policy).Statement : alltrue([for action in statement.Action : !strcontains(action, "*")])])
    error_message = "actions are named one by one"
  }
  # the account can still change the policy: otherwise nobody could
  assert {
    condition = contains([
      for statement in jsondecode(aws_kms_key.this.policy).Statement : statement.Principal.AWS
      if contains(statement.Action, "kms:PutKeyPolicy")
    ], "arn:aws:iam::123456789012:root")
    error_message = "the account may put another policy"
  }
  # the log service uses it for this installation's logs only
  assert {
    condition = alltrue([
      for statement in jsondecode(aws_kms_key.this.policy).Statement :
      alltrue([for group in statement.Condition.ArnLike["kms:EncryptionContext:aws:logs:arn"] : strcontains(group, ":123456789012:log-group:/") && strcontains(group, "/test")])
      if can(statement.Principal.Service)
    ])
    error_message = "the log service is bound to the log groups of this name"
  }
}

run "refuses" {
  command = plan
  variables {
    deletion_days = 3
  }
  expect_failures = [var.deletion_days]
}
