"""What whoever deploys has to be allowed, from the file alone: Terraform gives it to a role, and people can read it."""
