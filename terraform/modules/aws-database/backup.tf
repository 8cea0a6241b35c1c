# A snapshot of each day that is kept for longer than RDS keeps its own: recovery to any second reaches back backup_days, recovery
# to a day snapshot_days. They are RDS snapshots under the same key, and stay when the instance is deleted by mistake.
resource "aws_backup_vault" "this" {
  count       = local.snapshots
  name        = "${var.name}-database"
  kms_key_arn = var.key_arn
  # A trial may be taken down with all that it has.
  force_destroy = !var.database.deletion_protection
}

resource "aws_backup_plan" "this" {
  count = local.snapshots
  name  = "${var.name}-database"

  rule {
    rule_name         = "daily"
    target_vault_name = aws_backup_vault.this[0].name
    # AWS Backup takes none of RDS in the hour before its windows and during them; it tries for eight hours.
    # https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html
    schedule          = "cron(0 12 * * ? *)"
    start_window      = 480
    completion_window = 1440

    lifecycle {
      delete_after = var.database.snapshot_days
    }
  }
}

resource "aws_backup_selection" "this" {
  count        = local.snapshots
  name         = "${var.name}-database"
  plan_id      = aws_backup_plan.this[0].id
  iam_role_arn = aws_iam_role.backup[0].arn
  resources    = [aws_db_instance.this.arn]
}

resource "aws_iam_role" "backup" {
  count = local.snapshots
  name  = "${var.name}-database-backup"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "backup.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

# What AWS's own policy has for RDS, for this server and the snapshots of AWS Backup.
# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupServiceRolePolicyForBackup.html
resource "aws_iam_role_policy" "backup" {
  count = local.snapshots
  name  = "backup"
  role  = aws_iam_role.backup[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "MakeSnapshots"
        Effect = "Allow"
        Action = [
          "rds:AddTagsToResource", "rds:CopyDBSnapshot", "rds:CreateDBSnapshot", "rds:DeleteDBSnapshot", "rds:ListTagsForResource",
          "rds:ModifyDBSnapshotAttribute",
        ]
        Resource = [aws_db_instance.this.arn, "${local.rds}:snapshot:awsbackup:*"]
      },
      {
        Sid      = "FindThem"
        Effect   = "Allow"
        Action   = ["rds:DescribeDBInstances", "rds:DescribeDBSnapshots"]
        Resource = ["${local.rds}:db:*", "${local.rds}:snapshot:*"]
      },
      {
        Sid      = "PutThemIntoTheVault"
        Effect   = "Allow"
        Action   = ["backup:CopyIntoBackupVault", "backup:DescribeBackupVault"]
        Resource = [aws_backup_vault.this[0].arn]
      },
      {
        Sid      = "CopyTags"
        Effect   = "Allow"
        Action   = ["backup:TagResource"]
        Resource = ["${local.rds}:snapshot:awsbackup:*", "arn:${local.partition}:backup:${local.region}:${local.account}:recovery-point:*"]
      },
      {
        Sid      = "KnowTheKey"
        Effect   = "Allow"
        Action   = ["kms:DescribeKey"]
        Resource = [var.key_arn]
      },
      {
        Sid       = "LetRdsUseTheKey"
        Effect    = "Allow"
        Action    = ["kms:CreateGrant"]
        Resource  = [var.key_arn]
        Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
      },
      {
        # AWS Backup looks for what a plan names by this; it knows no resources.
        Sid      = "LookForTags"
        Effect   = "Allow"
        Action   = ["tag:GetResources"]
        Resource = ["*"]
      },
    ]
  })
}

locals {
  snapshots = var.database.snapshot_days > 0 ? 1 : 0
  rds       = "arn:${local.partition}:rds:${local.region}:${local.account}"
}
