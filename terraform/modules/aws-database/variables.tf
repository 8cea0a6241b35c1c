variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "database" {
  description = <<-EOT
    The server.
    - `version`: PostgreSQL's major version, 15 or newer; minor ones come by themselves.
    - `instance_class`: size of the machine, and of its standby.
    - `storage_gib`: size of the disk.
    - `max_storage_gib`: how far the disk grows by itself.
    - `multi_az`: a standby in another zone, which takes over within a minute or two.
    - `backup_days`: days to any second of which the database can be taken back.
    - `snapshot_days`: days for which AWS Backup keeps a snapshot of each day besides; 0 for none.
    - `backup_window`: when RDS makes its daily snapshot (UTC).
    - `deletion_protection`: whether it must be switched off first, and a last snapshot is kept.
    - `password_version`: raise it to have a new password made.
    - `proxy`: whether RDS Proxy stands before it. Without it the functions' settings must know RDS's own authority (`ca_file`).
    - `clients`: security groups that reach the server itself, by what they are for: the machine that dumps or restores. Of this VPC,
      or of one that is peered with it.
    - `apply_immediately`: whether changes that interrupt the server are made at once and not in the weekly window (Sunday, 05:00 UTC). A
      new major version needs it.
    - `ca_file`: where the programs find RDS's certificates when there is no proxy, such as /var/task/ca.pem (docs/aws.md).
  EOT
  type = object({
    version             = optional(string, "15")
    instance_class      = optional(string, "db.t3.medium")
    storage_gib         = optional(number, 100)
    max_storage_gib     = optional(number, 500)
    multi_az            = optional(bool, true)
    backup_days         = optional(number, 7)
    snapshot_days       = optional(number, 30)
    backup_window       = optional(string, "03:00-04:00")
    deletion_protection = optional(bool, true)
    password_version    = optional(number, 1)
    proxy               = optional(bool, true)
    clients             = optional(map(string), {})
    apply_immediately   = optional(bool, false)
    ca_file             = optional(string)
  })
  default = {}

  validation {
    condition     = try(tonumber(var.database.version) >= 15, false)
    error_message = "database.version must be a major version of PostgreSQL, 15 or newer, such as \"15\"."
  }
  validation {
    condition     = var.database.backup_days >= 1 && var.database.backup_days <= 35
    error_message = "database.backup_days must be from 1 to 35: with 0 there would be no recovery to a point in time."
  }
  validation {
    condition     = var.database.snapshot_days == 0 || var.database.snapshot_days >= var.database.backup_days
    error_message = "database.snapshot_days must be 0, or not below backup_days: snapshots are for the days that RDS keeps no more."
  }
  validation {
    condition     = alltrue([for group in values(var.database.clients) : startswith(group, "sg-")])
    error_message = "database.clients must be ids of security groups (sg-…): addresses are let in nowhere."
  }
  validation {
    condition     = var.database.storage_gib >= 20 && var.database.max_storage_gib >= var.database.storage_gib
    error_message = "database.storage_gib must be at least 20 (gp3's least), and max_storage_gib not below it."
  }
  validation {
    condition     = var.database.proxy || var.database.ca_file != null
    error_message = "database.ca_file must name RDS's certificates when there is no proxy: otherwise nobody would check whom the password is told."
  }
}

variable "secret_name" {
  description = "Name of the secret that is made for the database's address and password."
  type        = string
}

variable "recovery_days" {
  description = "Days in which a deleted secret can be had back."
  type        = number
  default     = 30
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets in two zones or more that have no way out."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must be two or more, in different zones."
  }
}

variable "clients" {
  description = "Security groups that may connect, by what they are for."
  type        = map(string)
}

variable "key_arn" {
  description = "Key that encrypts disk, backups, logs and the secret."
  type        = string
}

variable "retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 30
}

variable "alarm_topics" {
  description = "SNS topics that hear of alarms."
  type        = list(string)
  default     = []
}
