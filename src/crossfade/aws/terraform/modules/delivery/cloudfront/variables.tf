variable "name" {
  description = "Prefix of all names, such as shop-prod."
  type        = string
}

variable "aliases" {
  description = "Names the site is reached by."
  type        = list(string)
  default     = []
}

variable "certificate_arn" {
  description = "Certificate for the names, in us-east-1. Without names, CloudFront has one of its own."
  type        = string
  default     = null
}

variable "single_page" {
  description = "Whether paths without a file get index.html."
  type        = bool
  default     = true
}

variable "html_seconds" {
  description = "How long pages may be kept by browsers and edges."
  type        = number
  default     = 300
}

variable "asset_seconds" {
  description = "How long JS, CSS and fonts may be kept; their names carry a hash."
  type        = number
  default     = 31536000
}

variable "image_seconds" {
  description = "How long images may be kept."
  type        = number
  default     = 604800
}

variable "old_version_days" {
  description = "Days after which overwritten files go."
  type        = number
  default     = 30
}

variable "price_class" {
  description = "Which edges serve: PriceClass_100, PriceClass_200 or PriceClass_All."
  type        = string
  default     = "PriceClass_200"
}
