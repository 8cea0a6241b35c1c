# Without a version, which is the value: somebody puts it there with the AWS CLI (docs/terraform.md), and the state never has it.
resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57: GitHub's and the models' vendors make these values; no function could change them there
  for_each                = var.names
  name                    = "${var.prefix}/${each.key}"
  kms_key_id              = var.key_arn
  recovery_window_in_days = var.recovery_days
}
