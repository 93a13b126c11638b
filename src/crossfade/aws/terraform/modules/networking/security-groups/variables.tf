variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "visitors" {
  description = "Networks that reach the load balancer."
  type        = list(string)
  default     = ["0.0.0.0/0"]

  validation {
    condition     = length(var.visitors) > 0 && alltrue([for cidr in var.visitors : can(cidrnetmask(cidr))])
    error_message = "One network or more, such as 0.0.0.0/0."
  }
}

variable "https" {
  description = "Whether the load balancer listens on 443 too."
  type        = bool
  default     = true
}

variable "app_ports" {
  description = "Ports on which the services listen."
  type        = list(number)

  validation {
    condition     = length(var.app_ports) > 0 && alltrue([for port in var.app_ports : port > 0 && port < 65536])
    error_message = "One port or more, from 1 to 65535."
  }
}

variable "open_ports" {
  description = "Ports of the hosts that are open past the load balancer."
  type        = list(object({ port = number, to = list(string) }))
  default     = []
}

variable "database_port" {
  description = "Port of the database. Null: there is none."
  type        = number
  default     = null
}

variable "database_public" {
  description = "Whether the database is reached from everywhere."
  type        = bool
  default     = false
}

variable "database_on_host" {
  description = "Whether the database is a host of its own, which has to fetch its packages."
  type        = bool
  default     = false
}

variable "cache_port" {
  description = "Port of the cache. Null: there is none."
  type        = number
  default     = null
}
