variable "name" {
  description = "Prefix of all names, such as shop-prod."
  type        = string
}

variable "cluster_arn" {
  description = "The cluster that jobs run in."
  type        = string
}

variable "families" {
  description = "Task definitions of the services that jobs run in, by family."
  type        = list(string)
}

variable "containers" {
  description = "The containers of these that run a job, by name."
  type        = list(string)
}

variable "role_arns" {
  description = "The roles that tasks of these are started and run with."
  type        = list(string)
}

variable "log_retention_days" {
  description = "How long it is known how a run ended."
  type        = number
  default     = 30
}

variable "warning_topic_arn" {
  description = "Is told of a run that failed."
  type        = string
}
