variable "secrets" {
  type = map(object({
    name        = string
    rotate_days = optional(number)
  }))
  description = "Secrets by the variable in which instances get them: the name in Secrets Manager, and after how many days each wants a new value."
}

variable "name" {
  type        = string
  description = "Prefix of all names, such as shop-prod."
}

variable "warning_topic_arn" {
  type        = string
  description = "Topic that is told when a secret is due."
}

variable "recovery_days" {
  type        = number
  description = "Days in which a deleted secret can be taken back."
  default     = 7
}
