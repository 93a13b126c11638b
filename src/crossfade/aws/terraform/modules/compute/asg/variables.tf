variable "name" {
  description = "Name of the group."
  type        = string
}

variable "region" {
  description = "Region of the registry and of the log group."
  type        = string
}

variable "folder" {
  description = "Where releases of processes are unpacked: the running one is `current` in it."
  type        = string
  default     = "/opt/app"
}

variable "image" {
  description = "Image without its tag. Null: processes, which CodeDeploy brings."
  type        = string
  default     = null
}

variable "image_tag" {
  description = "Tag that the group begins with. Deploys bring later ones."
  type        = string
  default     = "latest"
}

variable "command" {
  description = "Starts a process, with its port in $PORT; or runs instead of the image's own command."
  type        = string
  default     = null
}

variable "container_port" {
  description = "Where a container listens inside."
  type        = number
  default     = 8080
}

variable "ports" {
  description = "Ports of the host, one for each copy of the application."
  type        = list(number)

  validation {
    condition     = length(var.ports) > 0
    error_message = "One port or more."
  }
}

variable "proxy" {
  description = "nginx in front of them. Null: the load balancer reaches the application itself."
  type = object({
    listen            = number
    balance           = string
    max_fails         = number
    fail_timeout      = number
    keepalive         = number
    idle_timeout      = number
    app_health        = string
    health            = optional(string)
    health_timeout    = optional(number, 0)
    websockets        = optional(string)
    websocket_timeout = optional(number, 3600)
    fresh             = optional(map(number), {})
  })
  default = null
}

variable "environment" {
  description = "Variables of the application."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "ARN of a secret by the variable in which the application gets it; a key of its JSON may follow, as ARN:KEY::."
  type        = map(string)
  default     = {}
}

variable "agent_parameter" {
  description = "Parameter with the CloudWatch agent's configuration. Null: no agent."
  type        = string
  default     = null
}

variable "agent_reads" {
  description = "Folders of log files that the agent sends on, which is no root and is let read them."
  type        = list(string)
  default     = []
}

variable "instance_type" {
  description = "Class of the hosts."
  type        = string
}

variable "disk_gib" {
  description = "Disk of each host."
  type        = number
  default     = 20
}

variable "subnet_ids" {
  description = "Where hosts stand."
  type        = list(string)
}

variable "security_group_id" {
  description = "Group of the application."
  type        = string
}

variable "public_address" {
  description = "Gives each host a public address: needed where there is no other way out."
  type        = bool
  default     = false
}

variable "instance_profile_name" {
  description = "Role of the hosts."
  type        = string
}

variable "target_group_arn" {
  description = "Target group that hosts are registered with at first."
  type        = string
}

variable "load_balancer_suffix" {
  description = "The load balancer as metrics name it, for scaling on requests."
  type        = string
  default     = ""
}

variable "target_group_suffixes" {
  description = "Both target groups as metrics name them, for scaling on requests."
  type        = list(string)
  default     = []
}

variable "desired" {
  description = "Hosts at first."
  type        = number
}

variable "min" {
  description = "Never fewer hosts."
  type        = number
}

variable "max" {
  description = "Never more hosts."
  type        = number

  validation {
    condition     = var.max >= 1
    error_message = "At least one."
  }
}

variable "cpu" {
  description = "Target for the CPU in percent. Null: does not count."
  type        = number
  default     = null
}

variable "requests" {
  description = "Target for the requests of a host in a minute. Null: does not count."
  type        = number
  default     = null
}

variable "in_after" {
  description = "Quiet seconds after which a host goes."
  type        = number
  default     = 300
}

variable "warmup" {
  description = "Seconds in which a new host's health and load do not count."
  type        = number
  default     = 300
}

variable "refresh" {
  description = "How hosts are replaced: shares of the group, in percent, and seconds."
  type = object({
    min_healthy      = number
    max_healthy      = number
    warmup           = number
    checkpoints      = optional(list(number), [])
    checkpoint_delay = optional(number, 3600)
  })

  validation {
    condition     = var.refresh.max_healthy >= 100 && var.refresh.max_healthy - var.refresh.min_healthy <= 100
    error_message = "At most 100 percent or more, and no more than 100 above what stays healthy."
  }
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 30
}

variable "group_name" {
  description = "Name of the group, where it is not that of everything else here."
  type        = string
  default     = null
}

variable "tags" {
  description = "By which a deploy finds the group."
  type        = map(string)
  default     = {}
}

variable "green" {
  description = "A second group for releases to go to, empty at first. Null: there is one group only."
  type = object({
    name             = string
    target_group_arn = string
    tags             = map(string)
  })
  default = null
}

variable "revisions" {
  description = "Bucket of the revisions that CodeDeploy brings, where deploys say which. Null: nobody does."
  type        = string
  default     = null
}

variable "host_tags" {
  description = "What hosts of each group are tagged with beside what all have."
  type = object({
    blue  = map(string)
    green = map(string)
  })
  default = { blue = {}, green = {} }
}
