variable "secrets" {
  description = "Secrets by the variable in which instances get them: the name in Secrets Manager, and after how many days each wants a new value."
  type = map(object({
    name        = string
    rotate_days = optional(number)
  }))
}

variable "name" {
  description = "Prefix of all names, such as shop-prod."
  type        = string
}

variable "warning_topic_arn" {
  description = "Topic that is told when a secret is due."
  type        = string
}

variable "recovery_days" {
  description = "Days in which a deleted secret can be taken back."
  type        = number
  default     = 7
}
