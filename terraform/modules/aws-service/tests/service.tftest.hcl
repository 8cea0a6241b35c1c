mock_provider "aws" {
  source = "../../mocks/aws"
}

override_resource {
  target = aws_security_group.tasks
  values = { id = "sg-tasks" }
}

override_resource {
  target = aws_security_group.balancer
  values = { id = "sg-balancer" }
}

variables {
  name  = "test"
  image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/autopr:1.0.0"
  service = {
    domain          = "autopr.example.com"
    certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
  }
  network = {
    vpc_id            = "vpc-0123456789abcdef0"
    cidr              = "10.0.0.0/16"
    public_subnet_ids = ["subnet-public-a", "subnet-public-b"]
    subnet_ids        = ["subnet-private-a", "subnet-private-b"]
  }
  key_arn      = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"
  alarm_topics = ["arn:aws:sns:us-east-1:123456789012:alarms"]
  settings     = { DATABASE_POOLER = "rds-proxy", GITHUB_APP_ID = "12345" }
  secrets = {
    "webhook-secret" = { arn = "arn:webhook-secret", reference = "r" }
    "database"       = { arn = "arn:database", reference = "r" }
    "redis"          = { arn = "arn:redis", reference = "r" }
    "github-app-key" = { arn = "arn:github-app-key", reference = "r" }
    "openai-api-key" = { arn = "arn:openai-api-key", reference = "r" }
    "api-keys"       = { arn = "arn:api-keys", reference = "r" }
  }
}

run "by_default" {
  # the guide's task
  assert {
    condition     = aws_ecs_task_definition.this.cpu == "2048" && aws_ecs_task_definition.this.memory == "4096" && aws_ecs_task_definition.this.requires_compatibilities == toset(["FARGATE"]) && aws_ecs_task_definition.this.network_mode == "awsvpc"
    error_message = "a task has two processors and 4 GiB"
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].readonlyRootFilesystem && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].user == "65532:65532" && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].linuxParameters.capabilities.drop == ["ALL"]
    error_message = "the program is not root, has no capabilities and changes no files"
  }
  # secrets by reference, and every one that the settings need: the guide forgot Redis, the webhook's and the API's
  assert {
    condition = { for secret in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].secrets : secret.name => secret.valueFrom } == {
      GITHUB_WEBHOOK_SECRET  = "arn:webhook-secret"
      DATABASE_URL           = "arn:database"
      REDIS_URL              = "arn:redis"
      GITHUB_APP_PRIVATE_KEY = "arn:github-app-key"
      OPENAI_API_KEY         = "arn:openai-api-key"
      AUTOPR_API_KEYS        = "arn:api-keys"
    }
    error_message = "each secret is given by its ARN"
  }
  assert {
    condition = { for setting in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment : setting.name => setting.value } == {
      AUTOPR_ENV = "production", AUTOPR_LOG_LEVEL = "INFO", DATABASE_POOLER = "rds-proxy", GITHUB_APP_ID = "12345"
    }
    error_message = "the environment holds settings and no secret"
  }
  # the metrics' port is there, and only for whom it is meant
  assert {
    condition     = toset([for port in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].portMappings : port.containerPort]) == toset([8080, 9090])
    error_message = "ports 8080 and 9090 are open in the container"
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.metrics) == 0 && aws_vpc_security_group_ingress_rule.tasks.referenced_security_group_id == "sg-balancer" && aws_vpc_security_group_ingress_rule.tasks.to_port == 8080
    error_message = "only the load balancer reaches the tasks"
  }
  # 2 to 10 tasks on Fargate and Fargate Spot
  assert {
    condition     = { for strategy in aws_ecs_service.this.capacity_provider_strategy : strategy.capacity_provider => strategy.weight } == { FARGATE = 1, FARGATE_SPOT = 4 }
    error_message = "Fargate and Fargate Spot share tasks 1:4"
  }
  assert {
    condition     = aws_appautoscaling_target.this.min_capacity == 2 && aws_appautoscaling_target.this.max_capacity == 10 && aws_appautoscaling_policy.cpu.target_tracking_scaling_policy_configuration[0].target_value == 75 && aws_appautoscaling_policy.cpu.target_tracking_scaling_policy_configuration[0].scale_out_cooldown == 60 && aws_appautoscaling_policy.cpu.target_tracking_scaling_policy_configuration[0].scale_in_cooldown == 300
    error_message = "two to ten tasks, at 75 % of the processor"
  }
  assert {
    condition     = aws_ecs_service.this.deployment_minimum_healthy_percent == 100 && aws_ecs_service.this.deployment_circuit_breaker[0].rollback
    error_message = "a new version takes no task away before its own are there, and a bad one is taken back"
  }
  assert {
    condition     = aws_ecs_service.this.network_configuration[0].assign_public_ip == false && aws_ecs_service.this.network_configuration[0].subnets == toset(["subnet-private-a", "subnet-private-b"])
    error_message = "tasks have no public address"
  }
  # the load balancer
  assert {
    condition     = aws_lb_target_group.this.health_check[0].path == "/api/health" && aws_lb_target_group.this.health_check[0].interval == 30 && aws_lb_target_group.this.health_check[0].timeout == 5 && aws_lb_target_group.this.health_check[0].healthy_threshold == 2 && aws_lb_target_group.this.health_check[0].unhealthy_threshold == 3
    error_message = "the health check is the guide's"
  }
  assert {
    condition     = aws_lb_listener.https.protocol == "HTTPS" && startswith(aws_lb_listener.https.ssl_policy, "ELBSecurityPolicy-TLS13-") && aws_lb_listener.https.certificate_arn == var.service.certificate_arn
    error_message = "webhooks come by TLS 1.2 or newer with the certificate"
  }
  assert {
    condition     = aws_lb_listener.http.default_action[0].type == "redirect" && aws_lb_listener.http.default_action[0].redirect[0].protocol == "HTTPS"
    error_message = "HTTP only leads to HTTPS"
  }
  # roles
  assert {
    condition = alltrue(flatten([
      for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : [for action in statement.Action : !strcontains(action, "*")]
    ]))
    error_message = "no action with a wildcard"
  }
  assert {
    condition = toset(flatten([
      for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement.Sid if contains(statement.Resource, "*")
    ])) == toset(["LogInToRegistry"])
    error_message = "only the registry's log-in is allowed on every resource"
  }
  assert {
    condition = flatten([
      for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement.Resource if statement.Sid == "PullImage"
    ]) == ["arn:aws:ecr:us-east-1:123456789012:repository/autopr"]
    error_message = "only this image's repository may be pulled from"
  }
  # encryption, alarms, address
  assert {
    condition     = aws_cloudwatch_log_group.this.kms_key_id == var.key_arn && alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_actions == toset(var.alarm_topics)])
    error_message = "logs are encrypted with the key, and somebody hears of alarms"
  }
  assert {
    condition     = alltrue([for name in ["5xx", "balancer-5xx"] : aws_cloudwatch_metric_alarm.this[name].period == 300 && aws_cloudwatch_metric_alarm.this[name].evaluation_periods == 1 && aws_cloudwatch_metric_alarm.this[name].threshold == 0])
    error_message = "one delivery that was answered 5xx, by a task or by the load balancer, is heard of"
  }
  # the engine closes connections after 15 seconds, and must not be the first
  assert {
    condition     = aws_lb.this.idle_timeout < 15
    error_message = "the load balancer would send requests down connections that the engine is closing"
  }
  assert {
    condition     = output.url == "https://autopr.example.com" && length(aws_route53_record.this) == 0
    error_message = "the service has the domain's address"
  }
}

run "with_a_record_metrics_and_an_image_from_elsewhere" {
  command = plan
  variables {
    image = "ghcr.io/example/autopr@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    service = {
      domain                  = "autopr.example.com"
      certificate_arn         = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
      zone_id                 = "Z0123456789"
      metrics_security_groups = { prometheus = "sg-prometheus" }
      access_log_bucket       = "logs"
    }
  }
  assert {
    condition     = aws_route53_record.this[0].name == "autopr.example.com" && aws_lb.this.access_logs[0].bucket == "logs"
    error_message = "the domain leads to the load balancer, which keeps a log"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.metrics["prometheus"].from_port == 9090 && aws_vpc_security_group_ingress_rule.metrics["prometheus"].referenced_security_group_id == "sg-prometheus"
    error_message = "Prometheus reaches the metrics"
  }
  assert {
    condition     = !strcontains(aws_iam_role_policy.execution.policy, "ecr:")
    error_message = "an image from elsewhere needs nothing of ECR"
  }
}

run "refuses_latest_addresses_and_missing_secrets" {
  command = plan
  variables {
    image   = "autopr:latest"
    service = { domain = "https://autopr.example.com/", certificate_arn = "arn:aws:acm:r:a:c" }
    secrets = { "webhook-secret" = { arn = "a", reference = "b" }, "github-token" = { arn = "a", reference = "b" } }
  }
  expect_failures = [var.image, var.service, var.secrets]
}

run "refuses_no_certificate_and_nobody_to_write_as" {
  command = plan
  variables {
    image   = "autopr"
    service = { domain = "autopr.example.com", certificate_arn = "" }
    secrets = { "webhook-secret" = { arn = "a", reference = "b" }, "database" = { arn = "a", reference = "b" } }
  }
  expect_failures = [var.image, var.service, var.secrets]
}

run "refuses_other_processors" {
  command = plan
  variables {
    service = { domain = "autopr.example.com", certificate_arn = "arn:aws:acm:r:a:c", architecture = "arm64" }
  }
  expect_failures = [var.service]
}

run "refuses_sizes_that_fargate_lacks" {
  command = plan
  variables {
    service = { domain = "autopr.example.com", certificate_arn = "arn:aws:acm:r:a:c", cpu = 2048, memory_mib = 2048 }
  }
  expect_failures = [var.service]
}

run "refuses_fewer_tasks_at_most_than_at_least" {
  command = plan
  variables {
    service = { domain = "autopr.example.com", certificate_arn = "arn:aws:acm:r:a:c", max = 1 }
  }
  expect_failures = [var.service]
}

run "refuses_targets_that_are_no_percentages" {
  command = plan
  variables {
    service = { domain = "autopr.example.com", certificate_arn = "arn:aws:acm:r:a:c", cpu_target = 0.75 }
  }
  expect_failures = [var.service]
}
