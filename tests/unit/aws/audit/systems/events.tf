# A shop of functions: an interface, queues, a bus and a table. A comment beside a resource names what is to be found there;
# where there is none, nothing is that counts.

resource "aws_apigatewayv2_api" "shop" {
  name          = "shop"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_route" "orders" { # CF-NET-013
  api_id    = aws_apigatewayv2_api.shop.id
  route_key = "GET /orders"
}

resource "aws_apigatewayv2_route" "preflight" {
  api_id    = aws_apigatewayv2_api.shop.id
  route_key = "OPTIONS /{proxy+}"
}

resource "aws_apigatewayv2_route" "own" {
  api_id             = aws_apigatewayv2_api.shop.id
  route_key          = "POST /orders"
  authorization_type = "JWT"
  authorizer_id      = aws_apigatewayv2_authorizer.users.id
}

resource "aws_apigatewayv2_authorizer" "users" {
  api_id           = aws_apigatewayv2_api.shop.id
  name             = "users"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]
  jwt_configuration {
    audience = ["shop"]
    issuer   = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_x"
  }
}

resource "aws_apigatewayv2_stage" "quiet" { # CF-OBS-006, CF-OBS-010
  api_id = aws_apigatewayv2_api.shop.id
  name   = "quiet"
  default_route_settings {
    data_trace_enabled     = true
    throttling_burst_limit = 10
    throttling_rate_limit  = 10
  }
}

resource "aws_apigatewayv2_stage" "heard" {
  api_id = aws_apigatewayv2_api.shop.id
  name   = "heard"
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.api.arn
    format          = "$context.requestId"
  }
}

resource "aws_cloudwatch_log_group" "api" {
  name              = "/api"
  retention_in_days = 30
}

resource "aws_apigatewayv2_api" "chat" {
  name                       = "chat"
  protocol_type              = "WEBSOCKET"
  route_selection_expression = "$request.body.action"
}

resource "aws_apigatewayv2_route" "connect" { # CF-NET-013
  api_id    = aws_apigatewayv2_api.chat.id
  route_key = "$connect"
}

resource "aws_apigatewayv2_route" "send" { # who is connected was asked then
  api_id    = aws_apigatewayv2_api.chat.id
  route_key = "send"
}

resource "aws_api_gateway_rest_api" "old" {
  name = "old"
}

resource "aws_api_gateway_resource" "items" {
  rest_api_id = aws_api_gateway_rest_api.old.id
  parent_id   = aws_api_gateway_rest_api.old.root_resource_id
  path_part   = "items"
}

resource "aws_api_gateway_method" "get" { # CF-NET-013
  rest_api_id   = aws_api_gateway_rest_api.old.id
  resource_id   = aws_api_gateway_resource.items.id
  http_method   = "GET"
  authorization = "NONE"
}

resource "aws_api_gateway_method" "options" {
  rest_api_id   = aws_api_gateway_rest_api.old.id
  resource_id   = aws_api_gateway_resource.items.id
  http_method   = "OPTIONS"
  authorization = "NONE"
}

resource "aws_api_gateway_method" "keyed" {
  rest_api_id      = aws_api_gateway_rest_api.old.id
  resource_id      = aws_api_gateway_resource.items.id
  http_method      = "PUT"
  authorization    = "NONE"
  api_key_required = true
}

resource "aws_api_gateway_rest_api" "inside" {
  name = "inside"
  endpoint_configuration {
    types            = ["PRIVATE"]
    vpc_endpoint_ids = ["vpce-0123456789abcdef0"]
  }
}

resource "aws_api_gateway_method" "inside" {
  rest_api_id   = aws_api_gateway_rest_api.inside.id
  resource_id   = aws_api_gateway_rest_api.inside.root_resource_id
  http_method   = "GET"
  authorization = "NONE"
}

resource "aws_api_gateway_rest_api" "office" {
  name = "office"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Principal = "*", Action = "execute-api:Invoke", Resource = "execute-api:/*" },
      { Effect = "Deny", Principal = "*", Action = "execute-api:Invoke", Resource = "execute-api:/*", Condition = { NotIpAddress = { "aws:SourceIp" = "203.0.113.0/24" } } },
    ]
  })
}

resource "aws_api_gateway_method" "office" {
  rest_api_id   = aws_api_gateway_rest_api.office.id
  resource_id   = aws_api_gateway_rest_api.office.root_resource_id
  http_method   = "GET"
  authorization = "NONE"
}

resource "aws_api_gateway_rest_api" "described" { # CF-NET-013
  name = "described"
  body = jsonencode({
    openapi = "3.0.1"
    paths = {
      "/open"  = { get = {} }
      "/asked" = { get = { security = [{ users = [] }] } }
    }
  })
}

resource "aws_api_gateway_method_settings" "traced" { # CF-OBS-010
  rest_api_id = aws_api_gateway_rest_api.old.id
  stage_name  = "prod"
  method_path = "*/*"
  settings {
    data_trace_enabled = true
    logging_level      = "INFO"
  }
}

resource "aws_api_gateway_domain_name" "old" { # CF-TLS-002
  domain_name              = "old.example.com"
  regional_certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/0"
  endpoint_configuration { types = ["REGIONAL"] }
}

resource "aws_api_gateway_domain_name" "new" {
  domain_name              = "new.example.com"
  regional_certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/0"
  security_policy          = "TLS_1_2"
  endpoint_configuration { types = ["REGIONAL"] }
}

resource "aws_sqs_queue" "orders" { # CF-AVL-011
  name = "orders"
}

resource "aws_sqs_queue" "failed" {
  name                      = "failed"
  message_retention_seconds = 1209600
}

resource "aws_sqs_queue" "mails" {
  name           = "mails"
  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.failed.arn, maxReceiveCount = 5 })
}

resource "aws_lambda_event_source_mapping" "orders" {
  event_source_arn = aws_sqs_queue.orders.arn
  function_name    = aws_lambda_function.orders.arn
}

resource "aws_lambda_event_source_mapping" "mails" {
  event_source_arn = aws_sqs_queue.mails.arn
  function_name    = aws_lambda_function.orders.arn
}

resource "aws_lambda_function" "orders" { # CF-SEC-001
  function_name = "orders"
  role          = aws_iam_role.orders.arn
  runtime       = "python3.13"
  handler       = "orders.handle"
  s3_bucket     = "code"
  s3_key        = "orders.zip"
  environment {
    variables = { STRIPE_SECRET_KEY = "hunter2-hunter2-9", TABLE = "orders" }
  }
}

resource "aws_lambda_function" "mails" {
  function_name = "mails"
  role          = aws_iam_role.orders.arn
  runtime       = "python3.13"
  handler       = "mails.handle"
  s3_bucket     = "code"
  s3_key        = "mails.zip"
  environment {
    variables = { STRIPE_SECRET_ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:stripe", TOKEN_TTL = "3600" }
  }
}

data "aws_iam_policy_document" "functions" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "orders" {
  name               = "orders"
  assume_role_policy = data.aws_iam_policy_document.functions.json
}

resource "aws_iam_role_policy" "wide" { # CF-SEC-017, CF-SEC-005
  role = aws_iam_role.orders.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["kms:Decrypt"], Resource = "*" },
      { Effect = "Allow", Action = ["dynamodb:*"], Resource = "*" },
    ]
  })
}

resource "aws_iam_role_policy" "narrow" {
  role = aws_iam_role.orders.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["kms:Decrypt"], Resource = "*", Condition = { StringEquals = { "kms:ViaService" = "sqs.us-east-1.amazonaws.com" } } },
      { Effect = "Allow", Action = ["dynamodb:PutItem"], Resource = "arn:aws:dynamodb:us-east-1:123456789012:table/orders" },
      { Effect = "Allow", Action = ["xray:PutTraceSegments", "kms:ListAliases"], Resource = "*" },
    ]
  })
}

resource "aws_lambda_permission" "anybody" { # CF-SEC-009
  function_name = aws_lambda_function.orders.function_name
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
}

resource "aws_lambda_permission" "api" {
  function_name = aws_lambda_function.orders.function_name
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.shop.execution_arn}/*"
}

resource "aws_cloudwatch_event_bus" "shop" {
  name = "shop"
}

resource "aws_cloudwatch_event_bus_policy" "open" { # CF-SEC-009
  event_bus_name = aws_cloudwatch_event_bus.shop.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "all", Effect = "Allow", Principal = "*", Action = "events:PutEvents", Resource = "arn:aws:events:us-east-1:123456789012:event-bus/shop" }]
  })
}

resource "aws_cloudwatch_event_bus_policy" "ours" {
  event_bus_name = aws_cloudwatch_event_bus.shop.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "ours", Effect = "Allow", Principal = "*", Action = "events:PutEvents"
      Resource  = "arn:aws:events:us-east-1:123456789012:event-bus/shop"
      Condition = { StringEquals = { "aws:PrincipalOrgID" = "o-abcdef1234" } }
    }]
  })
}

resource "aws_dynamodb_table" "orders" { # CF-DAT-012, CF-DAT-019
  name         = "orders"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"
  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_dynamodb_table" "kept" {
  name                        = "kept"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "id"
  deletion_protection_enabled = true
  point_in_time_recovery { enabled = true }
  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_cognito_user_pool" "weak" { # CF-SEC-022, CF-DAT-012
  name = "weak"
  password_policy {
    minimum_length    = 6
    require_lowercase = false
  }
}

resource "aws_cognito_user_pool" "strong" {
  name                = "strong"
  mfa_configuration   = "OPTIONAL"
  deletion_protection = "ACTIVE"
  software_token_mfa_configuration { enabled = true }
  password_policy {
    minimum_length    = 12
    require_lowercase = false
  }
}

resource "aws_cognito_identity_pool" "guests" { # CF-SEC-009
  identity_pool_name               = "guests"
  allow_unauthenticated_identities = true
}
