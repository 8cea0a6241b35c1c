resource "aws_iam_role" "this" {
  for_each = local.functions
  name     = "${var.name}-${each.key}"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "this" {
  for_each = local.functions
  name     = each.key
  role     = aws_iam_role.this[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "WriteLogs"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = "${aws_cloudwatch_log_group.this[each.key].arn}:*"
        },
        {
          Sid      = "SendTraces"
          Effect   = "Allow"
          Action   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
          Resource = "*" # these know no resources
        },
        { Sid = "UseQueue", Effect = "Allow", Action = each.value.queue, Resource = var.queue.arn },
        {
          Sid      = "ReadSecrets"
          Effect   = "Allow"
          Action   = ["secretsmanager:GetSecretValue"]
          Resource = [for name in local.secrets[each.key] : var.secrets[name].arn]
        },
        { Sid = "UseKey", Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = var.key_arn },
      ],
      # Lists whose elements differ in their types can't stand in a condition.
      [for statement in local.vpc_statements : statement if each.value.subnet_ids != null],
    )
  })
}

locals {
  # Lambda joins the VPC with the function's role; what it calls before there is an interface knows no resources.
  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
  vpc_statements = [
    {
      Sid    = "JoinVpc"
      Effect = "Allow"
      Action = [
        "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
      ]
      Resource = "*"
    },
    {
      Sid       = "OnlyLambdaJoins" # not the code of a function
      Effect    = "Deny"
      Action    = ["ec2:*"]
      Resource  = "*"
      Condition = { ArnLike = { "lambda:SourceFunctionArn" = "arn:${data.aws_partition.current.partition}:lambda:*:*:function:*" } }
    },
  ]
}
