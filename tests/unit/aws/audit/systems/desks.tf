# Desks for people, and the ways into the network for them and for an office.

resource "aws_workspaces_directory" "open" { # CF-SEC-026
  directory_id = "d-0123456789"
  workspace_creation_properties {
    user_enabled_as_local_administrator = true
    enable_internet_access              = false
  }
}

resource "aws_workspaces_directory" "closed" {
  directory_id = "d-0123456780"
  workspace_creation_properties {
    user_enabled_as_local_administrator = false
  }
}

resource "aws_workspaces_ip_group" "world" { # CF-NET-001
  name = "world"
  rules { source = "0.0.0.0/0" }
}

resource "aws_workspaces_ip_group" "office" {
  name = "office"
  rules { source = "203.0.113.0/24" }
}

resource "aws_workspaces_workspace" "plain" { # CF-DAT-002
  directory_id = "d-0123456789"
  bundle_id    = "wsb-0123456789"
  user_name    = "ann"
}

resource "aws_workspaces_workspace" "sealed" {
  directory_id                   = "d-0123456789"
  bundle_id                      = "wsb-0123456789"
  user_name                      = "bob"
  root_volume_encryption_enabled = true
  user_volume_encryption_enabled = true
}

resource "aws_directory_service_directory" "typed" { # CF-SEC-012
  name     = "corp.example.com"
  password = "Correct-horse-9"
  edition  = "Standard"
  type     = "MicrosoftAD"
  vpc_settings {
    vpc_id     = "vpc-0123456789abcdef0"
    subnet_ids = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  }
}

resource "aws_directory_service_radius_settings" "typed" { # CF-SEC-012
  directory_id            = "d-0123456789"
  authentication_protocol = "PAP"
  display_label           = "MFA"
  radius_port             = 1812
  radius_retries          = 3
  radius_servers          = ["10.0.1.5"]
  radius_timeout          = 5
  shared_secret           = "Correct-horse-9"
}

resource "aws_ec2_client_vpn_endpoint" "quiet" { # CF-NET-008
  client_cidr_block      = "10.9.0.0/22"
  server_certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/0"
  authentication_options {
    type                       = "certificate-authentication"
    root_certificate_chain_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1"
  }
  connection_log_options { enabled = false }
}

resource "aws_ec2_client_vpn_endpoint" "heard" {
  client_cidr_block      = "10.9.0.0/22"
  server_certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/0"
  split_tunnel           = true
  authentication_options {
    type              = "federated-authentication"
    saml_provider_arn = "arn:aws:iam::123456789012:saml-provider/office"
  }
  connection_log_options {
    enabled              = true
    cloudwatch_log_group = "/vpn"
  }
}

resource "aws_ec2_client_vpn_authorization_rule" "staff" {
  client_vpn_endpoint_id = aws_ec2_client_vpn_endpoint.heard.id
  target_network_cidr    = "10.0.0.0/16"
  authorize_all_groups   = true
}

resource "aws_vpn_connection" "old" { # CF-TLS-005, CF-SEC-012, CF-NET-008
  customer_gateway_id             = "cgw-0123456789abcdef0"
  transit_gateway_id              = "tgw-0123456789abcdef0"
  type                            = "ipsec.1"
  tunnel1_ike_versions            = ["ikev1", "ikev2"]
  tunnel1_phase1_dh_group_numbers = [2]
  tunnel2_preshared_key           = "correct_horse_9_battery"
}

resource "aws_vpn_connection" "new" {
  customer_gateway_id             = "cgw-0123456789abcdef0"
  transit_gateway_id              = "tgw-0123456789abcdef0"
  type                            = "ipsec.1"
  tunnel1_ike_versions            = ["ikev2"]
  tunnel1_phase1_dh_group_numbers = [20]
  tunnel2_ike_versions            = ["ikev2"]
  tunnel2_phase1_dh_group_numbers = [20]
  tunnel1_log_options {
    cloudwatch_log_options {
      log_enabled   = true
      log_group_arn = "arn:aws:logs:us-east-1:123456789012:log-group:/vpn"
    }
  }
}

resource "aws_security_group" "desk" { # CF-NET-001
  name = "desk"
  ingress {
    from_port   = 3389
    to_port     = 3389
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "vpn" { # CF-NET-004
  name = "vpn"
  ingress {
    from_port   = 8443
    to_port     = 8443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "office" {
  name = "office"
  ingress {
    from_port   = 3389
    to_port     = 3389
    protocol    = "tcp"
    cidr_blocks = ["203.0.113.0/24"]
  }
}

resource "aws_security_group" "browser" { # CF-NET-003
  name = "browser"
  ingress {
    from_port   = 1434
    to_port     = 1434
    protocol    = "udp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_iam_user" "ann" {
  name = "ann"
}

resource "aws_iam_access_key" "ann" { # CF-SEC-020
  user = aws_iam_user.ann.name
}

resource "aws_iam_access_key" "sealed" {
  user    = aws_iam_user.ann.name
  pgp_key = "keybase:ann"
}

resource "aws_iam_user_login_profile" "ann" { # CF-SEC-020
  user = aws_iam_user.ann.name
}

resource "aws_iam_user_login_profile" "sealed" {
  user    = aws_iam_user.ann.name
  pgp_key = "keybase:ann"
}
