variable "name" {
  description = "Name of the hosts."
  type        = string
}

variable "region" {
  description = "Region of their parameters."
  type        = string
}

variable "instances" {
  description = "How many."
  type        = number
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

variable "user" {
  description = "Whom a deploy logs in as."
  type        = string
  default     = "ec2-user"
}

variable "keys" {
  description = "Public keys that it may have."
  type        = list(string)

  validation {
    condition     = length(var.keys) > 0
    error_message = "One key or more: nobody could log in otherwise."
  }
}

variable "containers" {
  description = "Whether releases are images, which Docker runs."
  type        = bool
  default     = false
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

variable "subnet_ids" {
  description = "Where hosts stand, one after the other."
  type        = list(string)
}

variable "public_address" {
  description = "Gives each host a public address: needed where there is no other way out."
  type        = bool
  default     = false
}

variable "fixed_address" {
  description = "Gives each host a public address that stays its own."
  type        = bool
  default     = false
}

variable "security_group_id" {
  description = "Group of the application."
  type        = string
}

variable "instance_profile_name" {
  description = "Role of the hosts."
  type        = string
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 30
}
