variable "name" {
  description = "The repository's name."
  type        = string
}

variable "keep" {
  description = "Newest images that stay."
  type        = number
  default     = 10

  validation {
    condition     = var.keep >= 1
    error_message = "At least one image stays."
  }
}

variable "expire_days" {
  description = "When images without a tag go."
  type        = number
  default     = 30
}

variable "immutable" {
  description = "A tag never moves to another image."
  type        = bool
  default     = true
}

variable "scan_on_push" {
  description = "Looks for known holes in each new image."
  type        = bool
  default     = true
}
