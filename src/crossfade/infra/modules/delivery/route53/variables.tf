variable "zone_name" {
  type        = string
  description = "Name of the hosted zone, such as example.com."
}

variable "create" {
  type        = bool
  description = "Whether the zone is made here. Otherwise it is there already."
  default     = true
}

variable "zone_id" {
  type        = string
  description = "Id of the zone that is there already. Without it, it is looked up by its name."
  default     = null
}

variable "aliases" {
  type = map(object({
    dns_name = string
    zone_id  = string
    ipv6     = optional(bool, false)
  }))
  description = "What each name leads to: a load balancer or a distribution."
  default     = {}
}

variable "ttl" {
  type        = number
  description = "Seconds that resolvers keep records that are no aliases."
  default     = 300
}

variable "move" {
  type = object({
    name    = string
    address = string
    share   = number
  })
  description = "While a name moves here from an old host: its address, and the percentage of visitors that come here."
  default     = null

  validation {
    condition     = var.move == null ? true : var.move.share >= 0 && var.move.share <= 100
    error_message = "The share is a percentage from 0 to 100."
  }
}
