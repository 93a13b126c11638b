"""The AWS wing: an environment's resources, bill, findings, picture and Terraform. Knows nothing of releases."""
