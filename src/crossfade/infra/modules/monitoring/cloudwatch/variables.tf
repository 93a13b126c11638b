variable "name" {
  type        = string
  description = "Prefix of all names, such as shop-prod."
}

variable "critical_contacts" {
  type        = list(string)
  description = "Mail addresses and phone numbers that are told of critical alarms."
  default     = []
}

variable "warning_contacts" {
  type        = list(string)
  description = "Mail addresses and phone numbers that are told of warnings."
  default     = []
}

variable "alarms" {
  type = list(object({
    on       = string
    limit    = number
    minutes  = number
    severity = string
  }))
  description = "What is watched, past which limit, for how many minutes, and who is told: critical or warning."
  default     = []

  validation {
    condition     = alltrue([for alarm in var.alarms : contains(["critical", "warning"], alarm.severity)])
    error_message = "A severity is critical or warning."
  }
}

variable "cluster" {
  type = object({
    name     = string
    services = map(string)
  })
  description = "The ECS cluster, and the names in ECS of the services that run there."
  default     = null
}

variable "hosts" {
  type = object({
    group = string
  })
  description = "The Auto Scaling group, where services run on hosts."
  default     = null
}

variable "load_balancer" {
  type = object({
    arn_suffix    = string
    target_groups = map(string)
  })
  description = "The load balancer, and the ARN suffixes of its target groups by a name for people: web-blue."
  default     = null
}

variable "database" {
  type = object({
    identifier  = string
    storage_gib = number
  })
  description = "The database of RDS, and its disk, of which the free share is watched."
  default     = null
}

variable "cache" {
  type = object({
    group    = string
    shards   = number
    replicas = number
    cluster  = bool
  })
  description = "The replication group of ElastiCache; `cluster` when its keys are spread over shards."
  default     = null
}

variable "log_days" {
  type        = number
  description = "Days that log groups keep what comes in."
  default     = 30
}

variable "agent" {
  type = object({
    namespace     = string
    disks         = list(string)
    every_seconds = number
    files         = map(string)
  })
  description = "What the CloudWatch agent of the hosts reports: disks, how often, and log files by the name of their log group."
  default     = null
}

variable "dashboard" {
  type        = bool
  description = "Whether there is a dashboard."
  default     = true
}

variable "cloudtrail" {
  type        = bool
  description = "Whether every call of AWS's API in this account is recorded."
  default     = false
}

variable "guardduty" {
  type        = bool
  description = "Whether GuardDuty looks for intruders in this account."
  default     = false
}
