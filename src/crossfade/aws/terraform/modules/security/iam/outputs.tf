output "execution_role_arn" {
  description = "Role that starts the tasks of each service."
  value       = { for service, role in aws_iam_role.execution : service => role.arn }

  # A task that starts before its role may read the secrets would fail.
  depends_on = [aws_iam_role_policy.execution]
}

output "task_role_arn" {
  description = "Role that each service itself has."
  value       = { for service, role in aws_iam_role.task : service => role.arn }

  depends_on = [aws_iam_role_policy.task]
}

output "instance_profile_name" {
  description = "Profile of the hosts; null on Fargate."
  value       = one(aws_iam_instance_profile.this[*].name)

  depends_on = [aws_iam_role_policy.instance, aws_iam_role_policy_attachment.session_manager]
}

output "codedeploy_role_arn" {
  description = "Role of CodeDeploy; null without it."
  value       = one(aws_iam_role.codedeploy[*].arn)

  depends_on = [aws_iam_role_policy.codedeploy]
}

output "deployer_role_arn" {
  description = "Role that whoever deploys takes on; null without one."
  value       = one(aws_iam_role.deployer[*].arn)
}
