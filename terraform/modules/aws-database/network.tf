# Clients reach the proxy, and only the proxy and those of database.clients reach the server; without a proxy all reach the server.
locals {
  entrance = var.database.proxy ? aws_security_group.proxy[0].id : aws_security_group.database.id
}

resource "aws_security_group" "database" {
  name        = "${var.name}-database"
  description = "PostgreSQL"
  vpc_id      = var.vpc_id
  tags        = { Name = "${var.name}-database" }
}

resource "aws_security_group" "proxy" {
  #checkov:skip=CKV2_AWS_5: attached to the proxy, of which there may be none
  count       = var.database.proxy ? 1 : 0
  name        = "${var.name}-database-proxy"
  description = "RDS Proxy"
  vpc_id      = var.vpc_id
  tags        = { Name = "${var.name}-database-proxy" }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each                     = var.clients
  security_group_id            = local.entrance
  description                  = "PostgreSQL from ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}

resource "aws_vpc_security_group_ingress_rule" "proxy" {
  count                        = var.database.proxy ? 1 : 0
  security_group_id            = aws_security_group.database.id
  description                  = "PostgreSQL from the proxy"
  referenced_security_group_id = aws_security_group.proxy[0].id
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}

# Dumps and restores go to the server itself: they hold one connection for long, and change settings of it, for which a proxy is no help.
resource "aws_vpc_security_group_ingress_rule" "server" {
  for_each                     = var.database.clients
  security_group_id            = aws_security_group.database.id
  description                  = "PostgreSQL from ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}

resource "aws_vpc_security_group_egress_rule" "proxy" {
  count                        = var.database.proxy ? 1 : 0
  security_group_id            = aws_security_group.proxy[0].id
  description                  = "PostgreSQL to the server"
  referenced_security_group_id = aws_security_group.database.id
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}
