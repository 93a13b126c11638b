variable "name" {
  description = "What the bucket's name begins with. Names are taken worldwide: AWS completes it."
  type        = string
}

variable "versioned" {
  description = "Keeps overwritten objects."
  type        = bool
  default     = true
}

variable "expire_old_days" {
  description = "When overwritten objects go. Null: never."
  type        = number
  default     = null
}

variable "moves" {
  description = "Where objects go as they age."
  type        = list(object({ days = number, class = string }))
  default     = []

  validation {
    condition = alltrue([
      for move in var.moves :
      contains(["STANDARD_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"], move.class)
    ])
    error_message = "One of STANDARD_IA, INTELLIGENT_TIERING, GLACIER_IR, GLACIER, DEEP_ARCHIVE."
  }
}

variable "expire_days" {
  description = "When objects are removed. Null: never."
  type        = number
  default     = null
}

variable "distributions" {
  description = "ARNs of distributions of CloudFront that serve its files." # how many is known before the ARNs are
  type        = list(string)
  default     = []
}

variable "cors_origins" {
  description = "Origins whose pages may read and write it."
  type        = list(string)
  default     = []
}

variable "cors_methods" {
  description = "What they may do there."
  type        = list(string)
  default     = ["GET", "HEAD", "PUT", "POST"]
}

variable "cors_seconds" {
  description = "How long their browsers remember that they may."
  type        = number
  default     = 3600
}
