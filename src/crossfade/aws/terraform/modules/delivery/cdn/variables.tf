variable "name" {
  description = "Prefix of all names, such as shop-prod."
  type        = string
}

variable "balancer" {
  description = "The load balancer's DNS name."
  type        = string
}

variable "https" {
  description = "Whether the load balancer speaks HTTPS."
  type        = bool
}

variable "aliases" {
  description = "Names the services are reached by."
  type        = list(string)
  default     = []
}

variable "certificate_arn" {
  description = "Certificate for the names, in us-east-1. Without names, CloudFront has one of its own."
  type        = string
  default     = null
}

variable "price_class" {
  description = "Which edges serve: PriceClass_100, PriceClass_200 or PriceClass_All."
  type        = string
  default     = "PriceClass_200"
}

variable "keep" {
  description = "Seconds that edges keep an answer of the services that does not say for how long. 0: none is kept, whatever it says."
  type        = number
  default     = 0
}

variable "never" {
  description = "Paths of the services whose answers are never kept."
  type        = list(string)
  default     = []
}

variable "bucket" {
  description = "Address of the bucket whose files are served, as its region has it."
  type        = string
  default     = null
}

variable "files" {
  description = "Paths that the bucket answers, and how many seconds edges keep them."
  type        = map(number)
  default     = {}
}
