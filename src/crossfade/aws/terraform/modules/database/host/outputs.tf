output "identifier" {
  description = "The host."
  value       = aws_instance.this.id
}

output "address" {
  description = "Its address inside of the network."
  value       = aws_instance.this.private_ip
}

output "arn" {
  description = "The host."
  value       = aws_instance.this.arn
}

output "secret_arn" {
  description = "Secret with the password of its user `app`."
  value       = aws_secretsmanager_secret.password.arn
}

output "volume_id" {
  description = "The volume of its data."
  value       = aws_ebs_volume.data.id
}
