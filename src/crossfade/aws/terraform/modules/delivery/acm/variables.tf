variable "domain_name" {
  description = "Name the certificate is for."
  type        = string
}

variable "alternative_names" {
  description = "Further names it is for."
  type        = list(string)
  default     = []
}

variable "zone_id" {
  description = "Hosted zone in which ACM finds the proof that the names are ours."
  type        = string
}

variable "ttl" {
  description = "Seconds that resolvers keep the proof."
  type        = number
  default     = 300
}
