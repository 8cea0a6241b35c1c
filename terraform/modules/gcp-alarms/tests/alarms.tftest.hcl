mock_provider "google" {}

variables {
  project_id            = "my-project"
  name                  = "autopr-prod"
  queue                 = "autopr-prod-messages"
  dead_letters          = "autopr-prod-dead-letters"
  notification_channels = ["projects/p/notificationChannels/1"]
}

run "one_dead_letter_is_told_of" {
  assert {
    condition     = strcontains(google_monitoring_alert_policy.dead_letters.conditions[0].condition_threshold[0].filter, "subscription_id = \"autopr-prod-dead-letters\"") && strcontains(google_monitoring_alert_policy.dead_letters.conditions[0].condition_threshold[0].filter, "num_undelivered_messages") && google_monitoring_alert_policy.dead_letters.conditions[0].condition_threshold[0].threshold_value == 0
    error_message = "a dead letter is told to nobody"
  }
}

run "a_message_that_waits_is_told_of" {
  variables { oldest_message_alarm_seconds = 120 }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.oldest_message[0].conditions[0].condition_threshold[0].filter, "subscription_id = \"autopr-prod-messages\"") && google_monitoring_alert_policy.oldest_message[0].conditions[0].condition_threshold[0].threshold_value == 120
    error_message = "a queue that stands still is told to nobody"
  }
  assert {
    condition     = alltrue([for policy in [google_monitoring_alert_policy.dead_letters, google_monitoring_alert_policy.oldest_message[0]] : policy.notification_channels == tolist(["projects/p/notificationChannels/1"])])
    error_message = "an alarm is told to nobody"
  }
}

run "mistakes_are_refused" {
  command = plan
  variables {
    oldest_message_alarm_seconds = 1
    notification_channels        = ["me@example.com"]
  }
  expect_failures = [var.oldest_message_alarm_seconds, var.notification_channels]
}
