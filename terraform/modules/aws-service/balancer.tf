resource "aws_lb" "this" {
  #checkov:skip=CKV_AWS_91: a log where access_log_bucket names one
  #checkov:skip=CKV_AWS_150: on by default; a trial may switch it off
  #checkov:skip=CKV2_AWS_28: webhooks carry a signature and the API wants a key; what a firewall would add is the operator's to choose
  name                       = var.name
  load_balancer_type         = "application"
  internal                   = false
  subnets                    = var.network.public_subnet_ids
  security_groups            = [aws_security_group.balancer.id]
  drop_invalid_header_fields = true
  enable_deletion_protection = var.service.deletion_protection
  # Less than the 15 seconds after which the engine closes a connection that nothing comes by. Were it more, a webhook could be sent down
  # a connection that the engine is just closing, and GitHub be answered 502.
  # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html#http-502-issues
  # It is also the longest silence within an answer: no longer than GitHub waits for one, and an open stream of events must say
  # something more often than that.
  idle_timeout = 10

  dynamic "access_logs" {
    for_each = var.service.access_log_bucket == null ? [] : [var.service.access_log_bucket]
    content {
      enabled = true
      bucket  = access_logs.value
      prefix  = var.name
    }
  }
}

resource "aws_lb_target_group" "this" {
  #checkov:skip=CKV_AWS_378: TLS ends at the load balancer; from there to the tasks it stays in private subnets
  name        = var.name
  vpc_id      = var.network.vpc_id
  target_type = "ip"
  protocol    = "HTTP"
  port        = local.port
  # A task that is told to stop ends what it answers.
  deregistration_delay = 30

  health_check {
    path                = "/api/health"
    matcher             = "200"
    interval            = 30
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTPS"
  port              = 443
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
  certificate_arn   = var.service.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTP"
  port              = 80

  default_action {
    type = "redirect"
    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_route53_record" "this" {
  count   = var.service.zone_id == null ? 0 : 1
  zone_id = var.service.zone_id
  name    = var.service.domain
  type    = "A"

  alias {
    name                   = aws_lb.this.dns_name
    zone_id                = aws_lb.this.zone_id
    evaluate_target_health = true
  }
}
