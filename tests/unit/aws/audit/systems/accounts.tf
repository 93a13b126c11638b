# Several accounts: shares, a transit gateway, roles across them and for vendors.

resource "aws_ec2_transit_gateway" "open" { # CF-NET-012
  auto_accept_shared_attachments = "enable"
}

resource "aws_ec2_transit_gateway" "asking" {
  default_route_table_association = "disable"
}

resource "aws_ram_resource_share" "outside" { # CF-SEC-025
  name                      = "outside"
  allow_external_principals = true
}

resource "aws_ram_resource_share" "inside" {
  name                      = "inside"
  allow_external_principals = false
}

resource "aws_ram_principal_association" "units" {
  resource_share_arn = aws_ram_resource_share.inside.arn
  principal          = "arn:aws:organizations::123456789012:ou/o-abcdef1234/ou-abcd-12345678"
}

resource "aws_iam_role" "datadog" { # CF-SEC-018
  name               = "datadog"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "arn:aws:iam::464622532012:root" } }] })
}

resource "aws_iam_role" "wild_id" { # CF-SEC-018
  name               = "wild-id"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "754728514883" }, Condition = { StringLike = { "sts:ExternalId" = "*" } } }] })
}

resource "aws_iam_role" "with_id" {
  name               = "with-id"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "arn:aws:iam::464622532012:root" }, Condition = { StringEquals = { "sts:ExternalId" = "5f0c6a" } } }] })
}

resource "aws_iam_role" "stranger" { # CF-SEC-019
  name               = "stranger"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "arn:aws:iam::999988887777:root" } }] })
}

resource "aws_organizations_account" "security" {
  name  = "security"
  email = "security@example.com"
}

resource "aws_iam_role" "hub" {
  name               = "hub"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "arn:aws:iam::123456789012:root" } }] })
}

resource "aws_iam_role" "people" {
  name               = "people"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "arn:aws:iam::222233334444:root" }, Condition = { Bool = { "aws:MultiFactorAuthPresent" = "true" } } }] })
}

resource "aws_iam_role" "of_organisation" {
  name               = "of-organisation"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "*" }, Condition = { StringEquals = { "aws:PrincipalOrgID" = "o-abcdef1234" } } }] })
}

resource "aws_iam_role" "anybody" { # CF-SEC-008
  name               = "anybody"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "*" } }] })
}

resource "aws_iam_role" "deployer" {
  name               = "deployer"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "arn:aws:iam::222233334444:role/pipeline" } }] })
}

resource "aws_iam_role_policy" "anywhere" { # CF-SEC-010
  role   = aws_iam_role.hub.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Resource = "arn:aws:iam::*:role/*" }] })
}

resource "aws_iam_role_policy" "one_name" {
  role   = aws_iam_role.hub.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Resource = "arn:aws:iam::*:role/audit-reader" }] })
}

resource "aws_kms_key" "shared" { # CF-SEC-009
  enable_key_rotation = true
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { AWS = "*" }, Action = "kms:Decrypt", Resource = "*" }]
  })
}

resource "aws_kms_key" "ours" {
  enable_key_rotation = true
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Principal = { AWS = "arn:aws:iam::123456789012:root" }, Action = "kms:*", Resource = "*" },
      { Effect = "Allow", Principal = { AWS = "arn:aws:iam::222233334444:root" }, Action = "kms:Decrypt", Resource = "*" },
    ]
  })
}

resource "aws_guardduty_organization_configuration" "nobody" { # CF-ACC-010
  detector_id                      = "0123456789abcdef0123456789abcdef"
  auto_enable_organization_members = "NONE"
}

resource "aws_guardduty_organization_configuration" "everybody" {
  detector_id                      = "0123456789abcdef0123456789abcdef"
  auto_enable_organization_members = "ALL"
}

resource "aws_ssoadmin_managed_policy_attachment" "admin" { # CF-SEC-003
  instance_arn       = "arn:aws:sso:::instance/ssoins-0123456789abcdef"
  permission_set_arn = "arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-0123456789abcdef"
  managed_policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}

resource "aws_ssoadmin_managed_policy_attachment" "reader" {
  instance_arn       = "arn:aws:sso:::instance/ssoins-0123456789abcdef"
  permission_set_arn = "arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-0123456789abcde0"
  managed_policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}

resource "aws_organizations_policy" "most" {
  name    = "most"
  content = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }] })
}

resource "aws_vpc_endpoint_service" "open" { # CF-SEC-009
  acceptance_required        = false
  network_load_balancer_arns = ["arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/a/0123456789abcdef"]
  allowed_principals         = ["*"]
}

resource "aws_cloudwatch_log_destination_policy" "open" { # CF-SEC-009
  destination_name = "logs"
  access_policy    = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = "*", Action = "logs:PutSubscriptionFilter", Resource = "*" }] })
}
