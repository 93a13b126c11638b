"""Releases that CodeDeploy brings to the hosts of an Auto Scaling group: a zip in S3 with its appspec and its hooks."""
