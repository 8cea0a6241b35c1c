# A production installation: the guide's sizes, standbys in other zones, alarms that somebody hears. Functions by default; with
# runtime = "ecs" the container on Fargate, for which domain and certificate are here.
provider "aws" {
  region = var.region
  default_tags {
    tags = { project = "autopr", environment = "production" }
  }
}

variable "region" {
  description = "AWS's region."
  type        = string
  default     = "us-east-1"
}

variable "runtime" {
  description = "`lambda` or `ecs`."
  type        = string
  default     = "lambda"
}

variable "github_app_id" {
  description = "The GitHub App's id."
  type        = string
  default     = "12345"
}

variable "image" {
  description = "ECS: the image of `autopr`."
  type        = string
  default     = "123456789012.dkr.ecr.us-east-1.amazonaws.com/autopr:1.0.0"
}

variable "domain" {
  description = "ECS: the name that GitHub and people use."
  type        = string
  default     = "autopr.example.com"
}

variable "certificate_arn" {
  description = "ECS: the name's certificate."
  type        = string
  default     = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
}

variable "alarm_topic_arn" {
  description = "SNS topic that hears of alarms."
  type        = string
  default     = "arn:aws:sns:us-east-1:123456789012:autopr-alarms"
}

module "autopr" {
  source  = "../../stacks/aws"
  runtime = var.runtime
  github  = { app_id = var.github_app_id }
  llm     = { providers = ["openai", "anthropic", "mistral"] }
  network = { zones = 3 }
  # Size and standby are the defaults: db.t3.medium with 100 GiB, two nodes of cache.t3.medium.
  database = { backup_days = 14 }
  logs     = { retention_days = 90 }
  alarms   = { topic_arns = [var.alarm_topic_arn] }
  packages = { directory = "${path.module}/../../../target/lambda" }
  image    = var.image
  service  = { domain = var.domain, certificate_arn = var.certificate_arn }
}
