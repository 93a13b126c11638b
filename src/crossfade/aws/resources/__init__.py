"""What an environment consists of on AWS, in Terraform's words: from the file, or from a plan."""
