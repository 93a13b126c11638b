variable "name" {
  description = "Prefix of all names, such as shop-prod."
  type        = string
}

variable "critical_contacts" {
  description = "Mail addresses and phone numbers that are told of critical alarms."
  type        = list(string)
  default     = []
}

variable "warning_contacts" {
  description = "Mail addresses and phone numbers that are told of warnings."
  type        = list(string)
  default     = []
}

variable "alarms" {
  description = "What is watched, past which limit, for how many minutes, and who is told: critical or warning."
  type = list(object({
    on       = string
    limit    = number
    minutes  = number
    severity = string
  }))
  default = []

  validation {
    condition     = alltrue([for alarm in var.alarms : contains(["critical", "warning"], alarm.severity)])
    error_message = "A severity is critical or warning."
  }
}

variable "cluster" {
  description = "The ECS cluster, and the names in ECS of the services that run there by a name for people: web-blue."
  type = object({
    name     = string
    services = map(string)
  })
  default = null
}

variable "hosts" {
  description = "Where services run on hosts: the dimensions that their metrics have, by a name for people."
  type        = map(map(string))
  default     = {}
}

variable "load_balancer" {
  description = "The load balancer, and the ARN suffixes of its target groups by a name for people: web-blue."
  type = object({
    arn_suffix    = string
    target_groups = map(string)
  })
  default = null
}

variable "database" {
  description = "The database of RDS, and its disk, of which the free share is watched."
  type = object({
    identifier  = string
    storage_gib = number
  })
  default = null
}

variable "cache" {
  description = "The replication group of ElastiCache; `cluster` in cluster mode."
  type = object({
    group    = string
    shards   = number
    replicas = number
    cluster  = bool
  })
  default = null
}

variable "log_days" {
  description = "Days that log groups keep what comes in."
  type        = number
  default     = 30
}

variable "log_groups" {
  description = "Log groups of the services, which saved queries look through."
  type        = list(string)
  default     = []
}

variable "agent" {
  description = "What the CloudWatch agent of the hosts reports: disks, how often, by which other names, and log files by the name of their log group."
  type = object({
    namespace     = string
    disks         = list(string)
    every_seconds = number
    files         = map(string)
    names         = optional(map(string), {})
  })
  default = null
}

variable "dashboard" {
  description = "Whether there is a dashboard."
  type        = bool
  default     = true
}

variable "cloudtrail" {
  description = "Whether every call of AWS's API in this account is recorded."
  type        = bool
  default     = false
}

variable "guardduty" {
  description = "Whether GuardDuty looks for intruders in this account."
  type        = bool
  default     = false
}
