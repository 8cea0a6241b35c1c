mock_provider "aws" {
  source = "../../mocks/aws"
}

override_resource {
  target = aws_sqs_queue.queue
  values = { id = "https://sqs/queue", url = "https://sqs/queue", arn = "arn:aws:sqs:us-east-1:123456789012:queue" }
}

override_resource {
  target = aws_sqs_queue.dead_letters
  values = { id = "https://sqs/dead", url = "https://sqs/dead", arn = "arn:aws:sqs:us-east-1:123456789012:dead" }
}

variables {
  name                   = "test"
  worker_timeout_seconds = 300
  key_arn                = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"
  alarm_topics           = ["arn:aws:sns:us-east-1:123456789012:alarms"]
}

run "by_default" {
  # dead letters of its own queue
  assert {
    condition     = aws_sqs_queue_redrive_policy.queue.queue_url == "https://sqs/queue" && jsondecode(aws_sqs_queue_redrive_policy.queue.redrive_policy) == { deadLetterTargetArn = "arn:aws:sqs:us-east-1:123456789012:dead", maxReceiveCount = 5 }
    error_message = "the queue's dead letters go to its own dead-letter queue after five receives"
  }
  assert {
    condition     = aws_sqs_queue_redrive_allow_policy.dead_letters.queue_url == "https://sqs/dead" && jsondecode(aws_sqs_queue_redrive_allow_policy.dead_letters.redrive_allow_policy).sourceQueueArns == ["arn:aws:sqs:us-east-1:123456789012:queue"]
    error_message = "the dead-letter queue takes only this queue's dead letters"
  }
  # a message is hidden six times as long as the worker may take, and dead letters outlive the messages
  assert {
    condition     = aws_sqs_queue.queue.visibility_timeout_seconds == 1800
    error_message = "the visibility time-out is six times the worker's time-out"
  }
  assert {
    condition     = aws_sqs_queue.dead_letters.message_retention_seconds > aws_sqs_queue.queue.message_retention_seconds
    error_message = "dead letters are kept longer than messages"
  }
  # encryption
  assert {
    condition     = aws_sqs_queue.queue.kms_master_key_id == var.key_arn && aws_sqs_queue.dead_letters.kms_master_key_id == var.key_arn
    error_message = "both queues are encrypted with the key"
  }
  assert {
    condition = alltrue([
      for policy in aws_sqs_queue_policy.tls : alltrue([
        for statement in jsondecode(policy.policy).Statement : statement.Effect == "Deny" && statement.Condition.Bool["aws:SecureTransport"] == "false"
      ])
    ]) && length(aws_sqs_queue_policy.tls) == 2
    error_message = "both queues refuse what comes without TLS, and their policies allow nothing"
  }
  # alarms
  assert {
    condition     = aws_cloudwatch_metric_alarm.dead_letters.dimensions.QueueName == "test-dead-letters" && aws_cloudwatch_metric_alarm.oldest_message.dimensions.QueueName == "test"
    error_message = "each alarm looks at its queue"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.dead_letters.alarm_actions == toset(var.alarm_topics)
    error_message = "somebody hears of dead letters"
  }
}

run "refuses" {
  command = plan
  variables {
    worker_timeout_seconds       = 1000
    max_receives                 = 1
    oldest_message_alarm_seconds = 5
  }
  expect_failures = [var.worker_timeout_seconds, var.max_receives, var.oldest_message_alarm_seconds]
}
