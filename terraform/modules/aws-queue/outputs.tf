output "url" {
  description = "The queue, as AUTOPR_QUEUE_URL takes it."
  value       = aws_sqs_queue.queue.url
}

output "arn" {
  description = "The queue, for policies."
  value       = aws_sqs_queue.queue.arn
}

output "dead_letters_url" {
  description = "The dead letters."
  value       = aws_sqs_queue.dead_letters.url
}
