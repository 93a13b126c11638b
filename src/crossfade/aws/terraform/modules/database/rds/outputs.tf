output "identifier" {
  description = "The database as metrics name it."
  value       = aws_db_instance.this.identifier
}

output "address" {
  description = "The database's host name."
  value       = aws_db_instance.this.address
}

output "arn" {
  description = "The database."
  value       = aws_db_instance.this.arn
}

output "secret_arn" {
  description = "Secret with its owner's name and password."
  value       = one(aws_db_instance.this.master_user_secret[*].secret_arn)
}

output "replica_address" {
  description = "The read replica's host name. Null: there is none."
  value       = one(aws_db_instance.replica[*].address)
}

output "last_snapshot" {
  description = "Name of the snapshot that stays when it is deleted. Null: none."
  value       = aws_db_instance.this.final_snapshot_identifier
}
