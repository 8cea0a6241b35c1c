resource "aws_sqs_queue" "queue" {
  name = var.name
  # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html: six times the function's time-out.
  visibility_timeout_seconds        = 6 * var.worker_timeout_seconds
  message_retention_seconds         = 345600 # four days
  receive_wait_time_seconds         = 20
  kms_master_key_id                 = var.key_arn
  kms_data_key_reuse_period_seconds = 300
}

# What was handed out too often: the infrastructure failed, or there is a bug. To be looked at and sent back by a person.
resource "aws_sqs_queue" "dead_letters" {
  name                              = "${var.name}-dead-letters"
  message_retention_seconds         = 1209600 # fourteen days, the most there is
  kms_master_key_id                 = var.key_arn
  kms_data_key_reuse_period_seconds = 300
}

resource "aws_sqs_queue_redrive_policy" "queue" {
  queue_url = aws_sqs_queue.queue.id
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = var.max_receives
  })
}

resource "aws_sqs_queue_redrive_allow_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.queue.arn]
  })
}

# Who may use the queues stands in the functions' roles; this only refuses what is not encrypted on its way.
resource "aws_sqs_queue_policy" "tls" {
  for_each  = { queue = aws_sqs_queue.queue, dead_letters = aws_sqs_queue.dead_letters }
  queue_url = each.value.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyWithTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = each.value.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
