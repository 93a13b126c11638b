output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "cidr" {
  description = "Its addresses."
  value       = aws_vpc.this.cidr_block
}

output "public_subnet_ids" {
  description = "Subnets of the load balancer, one a zone."
  value       = aws_subnet.public[*].id
}

output "private_subnet_ids" {
  description = "Subnets of the application, one a zone."
  value       = aws_subnet.private[*].id
}

output "database_subnet_ids" {
  description = "Subnets of data, one a zone."
  value       = aws_subnet.database[*].id
}

output "nat_addresses" {
  description = "Public addresses that others see the application come from."
  value       = concat(aws_eip.nat[*].public_ip, aws_eip.nat_instance[*].public_ip)
}
