variable "domain_name" {
  type        = string
  description = "Name the certificate is for."
}

variable "alternative_names" {
  type        = list(string)
  description = "Further names it is for."
  default     = []
}

variable "zone_id" {
  type        = string
  description = "Hosted zone in which ACM finds the proof that the names are ours."
}

variable "ttl" {
  type        = number
  description = "Seconds that resolvers keep the proof."
  default     = 300
}
