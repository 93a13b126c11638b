variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnet_ids" {
  description = "Public subnets, in two zones or more."
  type        = list(string)
}

variable "security_group_id" {
  description = "Group of the load balancer."
  type        = string
}

variable "https" {
  description = "Listens on 443 and sends visitors of 80 there."
  type        = bool
  default     = true
}

variable "certificate_arn" {
  description = "Certificate for HTTPS."
  type        = string
  default     = null
}

variable "tls_policy" {
  description = "TLS versions and ciphers."
  type        = string
  default     = "ELBSecurityPolicy-TLS13-1-2-2021-06"
}

variable "idle_timeout" {
  description = "Seconds after which a connection on which nothing moves is closed."
  type        = number
  default     = 60

  validation {
    condition     = var.idle_timeout >= 1 && var.idle_timeout <= 4000
    error_message = "1 to 4000 seconds."
  }
}

variable "algorithm" {
  description = "Which instance gets the next request."
  type        = string
  default     = "round_robin"

  validation {
    condition     = contains(["round_robin", "least_outstanding_requests"], var.algorithm)
    error_message = "One of round_robin, least_outstanding_requests."
  }
}

variable "services" {
  description = "What is behind it, by name. `stickiness` is lb_cookie, or app_cookie with the name of the application's own."
  type = map(object({
    port        = number
    target_type = optional(string, "ip")
    drain       = optional(number, 300)
    health = object({
      path      = string
      interval  = number
      timeout   = number
      healthy   = number
      unhealthy = number
      codes     = string
    })
    stickiness = optional(object({ type = string, seconds = number, cookie = optional(string) }))
  }))

  validation {
    condition     = alltrue([for service in var.services : service.health.timeout < service.health.interval])
    error_message = "A health check's timeout is shorter than its interval."
  }

  validation {
    condition     = alltrue([for service in var.services : service.drain >= 0 && service.drain <= 3600])
    error_message = "A drain takes 0 to 3600 seconds."
  }

  validation {
    condition     = alltrue([for service in var.services : contains(["ip", "instance"], service.target_type)])
    error_message = "Targets are ip or instance."
  }
}

variable "rules" {
  description = "Which requests go where; the first that fits wins. Empty hosts or paths: any."
  type = list(object({
    service = string
    hosts   = optional(list(string), [])
    paths   = optional(list(string), [])
  }))
  default = []

  validation {
    condition     = alltrue([for rule in var.rules : length(rule.hosts) + length(rule.paths) <= 5])
    error_message = "A rule takes five hosts and paths together."
  }
}

variable "default_service" {
  description = "Gets all other requests. Null: they are answered with 404."
  type        = string
  default     = null
}

variable "previews" {
  description = "Services whose next release can be reached with a secret in this header, before visitors get it."
  type        = list(object({ service = string, header = string }))
  default     = []

  validation {
    condition     = length(var.previews) < 100
    error_message = "Fewer than a hundred: the rules for visitors come after them."
  }
}

variable "deletion_protection" {
  description = "AWS refuses to delete it until this is taken back."
  type        = bool
  default     = false
}

variable "access_logs" {
  description = "Keeps a record of every request in a bucket."
  type        = bool
  default     = false
}

variable "access_log_days" {
  description = "How long the records are kept."
  type        = number
  default     = 90
}
