data "aws_region" "current" {}

locals {
  # The environment variable of each secret that the settings know.
  secret_variables = {
    "webhook-secret"       = "GITHUB_WEBHOOK_SECRET"
    "database"             = "DATABASE_URL"
    "redis"                = "REDIS_URL"
    "github-app-key"       = "GITHUB_APP_PRIVATE_KEY"
    "github-token"         = "GITHUB_TOKEN"
    "api-keys"             = "AUTOPR_API_KEYS"
    "openai-api-key"       = "OPENAI_API_KEY"
    "anthropic-api-key"    = "ANTHROPIC_API_KEY"
    "mistral-api-key"      = "MISTRAL_API_KEY"
    "gemini-api-key"       = "GEMINI_API_KEY"
    "azure-openai-api-key" = "AZURE_OPENAI_API_KEY"
  }
  settings = merge({ AUTOPR_ENV = var.environment, AUTOPR_LOG_LEVEL = var.logs.level }, var.settings)
  port     = 8080
  metrics  = 9090
}

resource "aws_ecs_cluster" "this" {
  name = var.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.name
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = var.service.cpu
  memory                   = var.service.memory_mib
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.service.architecture
  }

  container_definitions = jsonencode([{
    name      = "autopr"
    image     = var.image
    essential = true
    command   = ["serve"]
    user      = "65532:65532"
    # A program that nobody can change, and that can change nothing.
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] }, initProcessEnabled = false }
    # Longer than the engine takes to give back what is under way.
    stopTimeout = 30
    portMappings = [
      { name = "http", containerPort = local.port, protocol = "tcp" },
      { name = "metrics", containerPort = local.metrics, protocol = "tcp" },
    ]
    environment = [for name, value in local.settings : { name = name, value = value }]
    # The whole secret, which for the database is a JSON object: the settings take it as it is.
    secrets = [for name, secret in var.secrets : { name = local.secret_variables[name], valueFrom = secret.arn }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = aws_cloudwatch_log_group.this.name
        "awslogs-region"        = data.aws_region.current.region
        "awslogs-stream-prefix" = "autopr"
        # A slow log holds up nothing.
        mode              = "non-blocking"
        "max-buffer-size" = "4m"
      }
    }
    # The load balancer asks for its health: the image has no shell to do so.
  }])
}

resource "aws_ecs_service" "this" {
  name             = var.name
  cluster          = aws_ecs_cluster.this.id
  task_definition  = aws_ecs_task_definition.this.arn
  platform_version = "LATEST"

  desired_count = var.service.min
  lifecycle {
    # The scaling below decides it.
    ignore_changes = [desired_count]
  }

  capacity_provider_strategy {
    capacity_provider = "FARGATE"
    base              = var.service.on_demand_base
    weight            = var.service.on_demand_weight
  }
  capacity_provider_strategy {
    capacity_provider = "FARGATE_SPOT"
    weight            = var.service.spot_weight
  }

  # New tasks stand beside the old ones before these go; a version that does not come up is taken back.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
  availability_zone_rebalancing = "ENABLED"
  propagate_tags                = "SERVICE"

  network_configuration {
    subnets          = var.network.subnet_ids
    security_groups  = [aws_security_group.tasks.id]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this.arn
    container_name   = "autopr"
    container_port   = local.port
  }
  health_check_grace_period_seconds = 60

  # A target group can't be used before a listener has it.
  depends_on = [aws_lb_listener.https, aws_ecs_cluster_capacity_providers.this, aws_iam_role_policy.execution]
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/autopr/${var.name}/service"
  retention_in_days = var.logs.retention_days #checkov:skip=CKV_AWS_338: how long logs are kept is the operator's choice
  kms_key_id        = var.key_arn
}
