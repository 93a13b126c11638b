variable "name" {
  type        = string
  description = "Prefix of all names, such as shop-prod."
}

variable "bucket_name" {
  type        = string
  description = "Name of the bucket the site is uploaded to. Names of buckets are taken worldwide."
}

variable "aliases" {
  type        = list(string)
  description = "Names the site is reached by."
  default     = []
}

variable "certificate_arn" {
  type        = string
  description = "Certificate for the names, in us-east-1. Without names, CloudFront has one of its own."
  default     = null
}

variable "single_page" {
  type        = bool
  description = "Whether paths without a file get index.html."
  default     = true
}

variable "html_seconds" {
  type        = number
  description = "How long pages may be kept by browsers and edges."
  default     = 300
}

variable "asset_seconds" {
  type        = number
  description = "How long JS, CSS and fonts may be kept; their names carry a hash."
  default     = 31536000
}

variable "image_seconds" {
  type        = number
  description = "How long images may be kept."
  default     = 604800
}

variable "old_version_days" {
  type        = number
  description = "Days after which overwritten files go."
  default     = 30
}

variable "price_class" {
  type        = string
  description = "Which edges serve: PriceClass_100, PriceClass_200 or PriceClass_All."
  default     = "PriceClass_200"
}

variable "api" {
  type = object({
    dns_name = string
    https    = bool
    aliases  = list(string)
  })
  description = "A second distribution in front of the load balancer: its name, whether it speaks HTTPS, the names."
  default     = null
}

variable "force_destroy" {
  type        = bool
  description = "Whether `destroy` may remove the site's bucket with its files."
  default     = false
}
