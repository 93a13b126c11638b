# Devices: certificates, policies, rules and an authorizer.

resource "aws_iot_policy" "all" { # CF-SEC-023
  name   = "all"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "iot:*", Resource = "*" }] })
}

resource "aws_iot_policy" "all_topics" { # CF-SEC-023
  name = "all-topics"
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = ["iot:Publish", "iot:Subscribe"], Resource = ["arn:aws:iot:us-east-1:123456789012:topic/*", "arn:aws:iot:us-east-1:123456789012:topicfilter/*"] },
  ] })
}

resource "aws_iot_policy" "any_name" { # CF-SEC-023
  name   = "any-name"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "iot:Connect", Resource = "arn:aws:iot:us-east-1:123456789012:client/*" }] })
}

resource "aws_iot_policy" "own" {
  name = "own"
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "iot:Connect", Resource = "arn:aws:iot:us-east-1:123456789012:client/$${iot:Connection.Thing.ThingName}" },
    { Effect = "Allow", Action = "iot:Publish", Resource = "arn:aws:iot:us-east-1:123456789012:topic/dt/$${iot:Connection.Thing.ThingName}/*" },
    { Effect = "Allow", Action = "iot:Receive", Resource = "*" },
  ] })
}

resource "aws_iot_policy" "public_news" {
  name   = "public-news"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "iot:Subscribe", Resource = "arn:aws:iot:us-east-1:123456789012:topicfilter/news/*" }] })
}

resource "aws_iot_certificate" "made_here" { # CF-SEC-020
  active = true
}

resource "aws_iot_certificate" "asked_for" {
  active = true
  csr    = "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n"
}

resource "aws_iot_authorizer" "unsigned" { # CF-SEC-023
  name                    = "unsigned"
  authorizer_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:authorize"
  signing_disabled        = true
}

resource "aws_iot_authorizer" "signed" {
  name                    = "signed"
  authorizer_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:authorize"
  token_key_name          = "token"
  token_signing_public_keys = {
    first = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----"
  }
}

resource "aws_iot_logging_options" "off" { # CF-OBS-008
  default_log_level = "DISABLED"
  role_arn          = "arn:aws:iam::123456789012:role/iot-logs"
}

resource "aws_iot_logging_options" "on" {
  default_log_level = "WARN"
  role_arn          = "arn:aws:iam::123456789012:role/iot-logs"
}

resource "aws_iot_topic_rule" "readings" {
  name        = "readings"
  enabled     = true
  sql         = "SELECT * FROM 'dt/+/readings'"
  sql_version = "2016-03-23"
  sqs {
    queue_url  = "https://sqs.us-east-1.amazonaws.com/123456789012/readings"
    role_arn   = aws_iam_role.rule.arn
    use_base64 = false
  }
}

resource "aws_iam_role" "rule" {
  name               = "rule"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "iot.amazonaws.com" } }] })
}

resource "aws_iam_role_policy" "rule" {
  role   = aws_iam_role.rule.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sqs:SendMessage", Resource = "arn:aws:sqs:us-east-1:123456789012:readings" }] })
}

resource "aws_iam_role_policy" "fleet" { # CF-SEC-005
  role   = "fleet"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "iot:*", Resource = "*" }] })
}

resource "aws_sqs_queue_policy" "readings" { # CF-SEC-009
  queue_url = "https://sqs.us-east-1.amazonaws.com/123456789012/readings"
  policy    = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = "*", Action = "sqs:SendMessage", Resource = "*" }] })
}

resource "aws_timestreaminfluxdb_db_instance" "open" { # CF-DAT-001, CF-SEC-012
  name                   = "readings"
  allocated_storage      = 20
  bucket                 = "readings"
  organization           = "acme"
  username               = "admin"
  password               = "Correcthorse9battery"
  db_instance_type       = "db.influx.medium"
  publicly_accessible    = true
  vpc_security_group_ids = ["sg-0123456789abcdef0"]
  vpc_subnet_ids         = ["subnet-0123456789abcdef0"]
}

resource "aws_security_group" "broker" { # CF-NET-003
  name = "broker"
  ingress {
    from_port   = 1883
    to_port     = 1883
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
