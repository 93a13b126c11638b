"""What AWS charges for, by Terraform's types: a verdict on every type of the provider, with its source."""
