"""What an environment is on AWS: its resources, bill, findings, picture and Terraform. Knows nothing of releases."""
