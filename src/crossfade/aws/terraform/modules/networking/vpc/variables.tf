variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "region" {
  description = "Region, which is part of the names of endpoints."
  type        = string
}

variable "cidr" {
  description = "The network."
  type        = string

  validation {
    condition     = can(cidrnetmask(var.cidr))
    error_message = "A network such as 10.0.0.0/16."
  }
}

variable "zones" {
  description = "Availability zones, such as ap-northeast-2a. Subnets are in this order."
  type        = list(string)

  validation {
    condition     = length(var.zones) >= 2 && length(distinct(var.zones)) == length(var.zones)
    error_message = "Two or more different zones: the load balancer needs them."
  }
}

variable "public_subnets" {
  description = "Subnets of the load balancer and of NAT, one a zone."
  type        = list(string)

  validation {
    condition     = alltrue([for cidr in var.public_subnets : can(cidrnetmask(cidr))])
    error_message = "Networks such as 10.0.1.0/24."
  }
}

variable "private_subnets" {
  description = "Subnets of the application, one a zone."
  type        = list(string)

  validation {
    condition     = alltrue([for cidr in var.private_subnets : can(cidrnetmask(cidr))])
    error_message = "Networks such as 10.0.11.0/24."
  }
}

variable "database_subnets" {
  description = "Subnets of data, one a zone, without a way out. Empty: none."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.database_subnets : can(cidrnetmask(cidr))])
    error_message = "Networks such as 10.0.21.0/24."
  }
}

variable "nat" {
  description = "How private subnets reach the world: one gateway, one per-zone, an instance, or none."
  type        = string
  default     = "one"

  validation {
    condition     = contains(["one", "per-zone", "instance", "none"], var.nat)
    error_message = "One of one, per-zone, instance, none."
  }
}

variable "nat_instance_type" {
  description = "Class of the NAT instance."
  type        = string
  default     = "t4g.nano"
}

variable "gateway_endpoints" {
  description = "Services reached through the route table, free of charge: s3, dynamodb."
  type        = list(string)
  default     = ["s3"]

  validation {
    condition     = alltrue([for service in var.gateway_endpoints : contains(["s3", "dynamodb"], service)])
    error_message = "Only s3 and dynamodb have gateway endpoints."
  }
}

variable "interface_endpoints" {
  description = "Services reached through an address in each zone, billed by the hour: ecr.api, ecr.dkr, logs, ..."
  type        = list(string)
  default     = []
}

variable "flow_logs" {
  description = "Records who talked to whom."
  type        = bool
  default     = false
}

variable "log_retention_days" {
  description = "How long flow logs are kept."
  type        = number
  default     = 30
}
