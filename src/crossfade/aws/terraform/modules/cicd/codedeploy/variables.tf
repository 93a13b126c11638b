variable "name" {
  description = "Name of the application and of its deployment group, such as shop-prod."
  type        = string
}

variable "role_arn" {
  description = "Role of CodeDeploy."
  type        = string
}

variable "group" {
  description = "The Auto Scaling group whose hosts get revisions. Null: they go by colour."
  type        = string
  default     = null
}

variable "target_group" {
  description = "Name of the target group that hosts are taken out of while they are changed. Null: of none."
  type        = string
  default     = null
}

variable "colours" {
  description = "By the name of each Auto Scaling group, the tag of its hosts that has this name. Null: one group, named above."
  type        = map(string)
  default     = null
}

variable "blue_green" {
  description = "Whether a whole new fleet takes over; otherwise hosts are changed in place."
  type        = bool
  default     = false
}

variable "configuration" {
  description = "How many hosts at once: CodeDeployDefault.OneAtATime, HalfAtATime or AllAtOnce. With blue/green, how many get traffic at once."
  type        = string
  default     = "CodeDeployDefault.OneAtATime"
}

variable "keep_minutes" {
  description = "With blue/green, minutes that the old fleet stays after the switch."
  type        = number
  default     = 10

  validation {
    condition     = var.keep_minutes >= 0 && var.keep_minutes <= 2880
    error_message = "CodeDeploy keeps an old fleet for 0 to 2880 minutes."
  }
}

variable "approve" {
  description = "With blue/green, whether the switch waits for somebody, an hour at most."
  type        = bool
  default     = false
}

variable "alarm_names" {
  description = "Alarms that stop a deployment and take it back."
  type        = list(string)
  default     = []
}

variable "topic_arn" {
  description = "Topic that is told when a deployment fails or is taken back."
  type        = string
}
