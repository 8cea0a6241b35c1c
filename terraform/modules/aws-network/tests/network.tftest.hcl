mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name    = "test"
  key_arn = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"
}

run "by_default" {
  # addresses of the guide
  assert {
    condition     = toset([for subnet in aws_subnet.public : subnet.cidr_block]) == toset(["10.0.1.0/24", "10.0.2.0/24"])
    error_message = "the public subnets are 10.0.1.0/24 and 10.0.2.0/24"
  }
  assert {
    condition     = toset([for subnet in aws_subnet.private : subnet.cidr_block]) == toset(["10.0.10.0/24", "10.0.20.0/24"])
    error_message = "the private subnets are 10.0.10.0/24 and 10.0.20.0/24"
  }
  assert {
    condition     = toset([for subnet in aws_subnet.private : subnet.availability_zone]) == toset(["us-east-1a", "us-east-1b"])
    error_message = "each private subnet has a zone of its own"
  }
  # no address by itself
  assert {
    condition     = alltrue([for subnet in aws_subnet.public : !subnet.map_public_ip_on_launch])
    error_message = "nothing that starts in a public subnet gets a public address by itself"
  }
  # isolated subnets have no way out
  assert {
    condition     = alltrue([for association in aws_route_table_association.isolated : association.route_table_id == aws_route_table.isolated.id])
    error_message = "isolated subnets use the isolated table"
  }
  assert {
    condition     = aws_route.public.route_table_id != aws_route_table.isolated.id && alltrue([for route in aws_route.private : route.route_table_id != aws_route_table.isolated.id])
    error_message = "no route leads out of the isolated table"
  }
  # a gateway in each zone
  assert {
    condition     = alltrue([for zone, route in aws_route.private : route.nat_gateway_id == aws_nat_gateway.this[zone].id])
    error_message = "each zone leaves by its own gateway, so that another zone's failure does not matter"
  }
  # the default group lets nothing through
  assert {
    condition     = length(aws_default_security_group.this.ingress) == 0 && length(aws_default_security_group.this.egress) == 0
    error_message = "the VPC's default security group has no rules"
  }
  # flows are logged encrypted
  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_cloudwatch_log_group.flows.kms_key_id == var.key_arn
    error_message = "all flows are logged with the key"
  }
}

run "one_gateway_when_asked" {
  command = plan
  variables {
    nat   = "single"
    zones = 3
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.private) == 3
    error_message = "three zones share one gateway"
  }
}

run "endpoints_of_services" {
  command = plan
  variables {
    endpoints = ["secretsmanager", "sqs", "logs"]
  }
  assert {
    condition     = aws_vpc_endpoint.interface["sqs"].service_name == "com.amazonaws.us-east-1.sqs" && aws_vpc_endpoint.interface["sqs"].private_dns_enabled
    error_message = "SQS is reached by its usual name inside of the VPC"
  }
  assert {
    condition     = length(aws_vpc_endpoint.s3.route_table_ids) == 3
    error_message = "S3's gateway serves two private tables and the isolated one"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.endpoints.cidr_ipv4 == "10.0.0.0/16" && aws_vpc_security_group_ingress_rule.endpoints.to_port == 443
    error_message = "only the VPC may reach the endpoints, and only by TLS"
  }
}

# Every validation refuses its mistake.
run "refuses" {
  command = plan
  variables {
    cidr      = "10.0.0.0/24"
    zones     = 1
    nat       = "none"
    endpoints = ["s3"]
  }
  expect_failures = [var.cidr, var.zones, var.nat, var.endpoints]
}
