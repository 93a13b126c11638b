variable "name" {
  description = "The cluster's name."
  type        = string
}

variable "container_insights" {
  description = "Metrics of every task, billed by the metric."
  type        = bool
  default     = false
}
