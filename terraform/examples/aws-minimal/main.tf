# The cheapest that works: functions, one small database without a standby, no Redis, one NAT gateway. It costs what runs day and
# night: NAT, database, proxy.
provider "aws" {
  region = var.region
  default_tags {
    tags = { project = "autopr" }
  }
}

variable "region" {
  description = "AWS's region."
  type        = string
  default     = "us-east-1"
}

variable "github_app_id" {
  description = "The GitHub App's id."
  type        = string
  default     = "12345"
}

module "autopr" {
  source      = "../../stacks/aws"
  name        = "autopr"
  environment = "staging"
  github      = { app_id = var.github_app_id }
  network     = { nat = "single", endpoints = [] }
  database    = { instance_class = "db.t4g.micro", storage_gib = 20, max_storage_gib = 50, multi_az = false, deletion_protection = false }
  cache       = { enabled = false }
  secrets     = { recovery_days = 0 }
  # New accounts may have only ten invocations at once.
  worker   = { concurrency = 2, reserve_concurrency = false }
  packages = { directory = "${path.module}/../../../target/lambda" }
}
