# A cluster whose pods have roles of their own, by tokens of the cluster and by EKS's own associations.

resource "aws_eks_cluster" "open" { # CF-NET-009, CF-OBS-008
  name     = "open"
  role_arn = "arn:aws:iam::123456789012:role/eks"
  version  = "1.34"
  vpc_config {
    subnet_ids             = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
    endpoint_public_access = true
  }
}

resource "aws_eks_cluster" "closed" {
  name                      = "closed"
  role_arn                  = "arn:aws:iam::123456789012:role/eks"
  version                   = "1.34"
  enabled_cluster_log_types = ["api", "audit", "authenticator"]
  vpc_config {
    subnet_ids              = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
    endpoint_private_access = true
    public_access_cidrs     = ["203.0.113.0/24"]
  }
}

resource "aws_eks_cluster" "old" { # CF-DAT-017
  name                      = "old"
  role_arn                  = "arn:aws:iam::123456789012:role/eks"
  version                   = "1.27"
  enabled_cluster_log_types = ["api", "audit"]
  vpc_config {
    subnet_ids             = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
    endpoint_public_access = false
  }
}

locals {
  issuer = "oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
}

resource "aws_iam_role" "any_namespace" { # CF-SEC-016
  name               = "any-namespace"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity", Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/${local.issuer}" }, Condition = { StringLike = { "${local.issuer}:sub" = "system:serviceaccount:*:*" } } }] })
}

resource "aws_iam_role" "same_name" { # CF-SEC-016
  name               = "same-name"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity", Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/${local.issuer}" }, Condition = { StringLike = { "${local.issuer}:sub" = "system:serviceaccount:*:web" } } }] })
}

resource "aws_iam_role" "audience_only" { # CF-SEC-016
  name               = "audience-only"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity", Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/${local.issuer}" }, Condition = { StringEquals = { "${local.issuer}:aud" = "sts.amazonaws.com" } } }] })
}

resource "aws_iam_role" "one_pod" {
  name               = "one-pod"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity", Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/${local.issuer}" }, Condition = { StringEquals = { "${local.issuer}:sub" = "system:serviceaccount:shop:web" } } }] })
}

resource "aws_iam_role" "one_namespace" {
  name               = "one-namespace"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity", Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/${local.issuer}" }, Condition = { StringLike = { "${local.issuer}:sub" = "system:serviceaccount:shop:*" } } }] })
}

resource "aws_iam_role" "associated" {
  name               = "associated"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["sts:AssumeRole", "sts:TagSession"], Principal = { Service = "pods.eks.amazonaws.com" } }] })
}

resource "aws_eks_pod_identity_association" "web" {
  cluster_name    = aws_eks_cluster.closed.name
  namespace       = "shop"
  service_account = "web"
  role_arn        = aws_iam_role.associated.arn
}

resource "aws_iam_role" "owner_by_number" {
  name = "owner-by-number"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect    = "Allow", Action = "sts:AssumeRoleWithWebIdentity"
    Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
    Condition = { StringEquals = { "token.actions.githubusercontent.com:repository_owner_id" = "1234567" } }
  }] })
}

resource "aws_iam_role" "environment_alone" { # CF-SEC-008
  name = "environment-alone"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect    = "Allow", Action = "sts:AssumeRoleWithWebIdentity"
    Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
    Condition = { StringEquals = { "token.actions.githubusercontent.com:environment" = "production" } }
  }] })
}

resource "aws_iam_role_policy_attachment" "nodes" {
  role       = "nodes"
  policy_arn = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"
}

resource "aws_iam_role_policy_attachment" "all_rights" { # CF-SEC-003
  role       = "nodes"
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}

resource "aws_eks_node_group" "reachable" { # CF-NET-001
  cluster_name    = aws_eks_cluster.closed.name
  node_role_arn   = "arn:aws:iam::123456789012:role/nodes"
  node_group_name = "reachable"
  subnet_ids      = ["subnet-0123456789abcdef0"]
  remote_access { ec2_ssh_key = "ops" }
  scaling_config {
    desired_size = 2
    max_size     = 3
    min_size     = 2
  }
}

resource "aws_launch_template" "nodes" { # CF-SEC-007, CF-DAT-013
  image_id = "ami-0123456789abcdef0"
  metadata_options { http_tokens = "optional" }
}

resource "aws_security_group" "nodes" { # CF-NET-003
  name = "nodes"
  ingress {
    from_port   = 10250
    to_port     = 10250
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "control" {
  name = "control"
  ingress {
    from_port = 443
    to_port   = 443
    protocol  = "tcp"
    self      = true
  }
}
