variable "name" {
  description = "Name of the budget, such as shop-prod."
  type        = string
}

variable "monthly" {
  description = "Dollars a month."
  type        = number
}

variable "forecast_percent" {
  description = "Warns when the forecast of the month passes this share; null is never."
  type        = number
  default     = 80
}

variable "actual_percent" {
  description = "Critical when the bill passes this share; null is never."
  type        = number
  default     = 100
}

variable "warning_topic_arn" {
  description = "Topic that is told of the forecast."
  type        = string
}

variable "critical_topic_arn" {
  description = "Topic that is told of the bill."
  type        = string
}

variable "environment" {
  description = "Counts only what has this value of the tag Environment, which must be activated as a cost allocation tag, or nothing is counted. Null counts the account's whole bill."
  type        = string
  default     = null
}
