variable "name" {
  type        = string
  description = "Name of the budget, such as shop-prod."
}

variable "monthly" {
  type        = number
  description = "Dollars a month."
}

variable "forecast_percent" {
  type        = number
  description = "Warns when the forecast of the month passes this share; null is never."
  default     = 80
}

variable "actual_percent" {
  type        = number
  description = "Critical when the bill passes this share; null is never."
  default     = 100
}

variable "warning_topic_arn" {
  type        = string
  description = "Topic that is told of the forecast."
}

variable "critical_topic_arn" {
  type        = string
  description = "Topic that is told of the bill."
}

variable "environment" {
  type        = string
  description = "Counts only what has this value of the tag Environment, which must be activated as a cost allocation tag, or nothing is counted. Null counts the account's whole bill."
  default     = null
}
