variable "zone_name" {
  description = "Name of the hosted zone, such as example.com."
  type        = string
}

variable "create" {
  description = "Whether the zone is made here. Otherwise it is there already."
  type        = bool
  default     = true
}

variable "zone_id" {
  description = "Id of the zone that is there already. Without it, it is looked up by its name."
  type        = string
  default     = null
}

variable "aliases" {
  description = "What each name leads to: a load balancer or a distribution."
  type = map(object({
    dns_name = string
    zone_id  = string
    ipv6     = optional(bool, false)
  }))
  default = {}
}

variable "ttl" {
  description = "Seconds that resolvers keep records that are not aliases."
  type        = number
  default     = 300
}

variable "move" {
  description = "While a name moves here from an old host: its address, and the percentage of visitors that come here."
  type = object({
    name    = string
    address = string
    share   = number
  })
  default = null

  validation {
    condition     = var.move == null ? true : var.move.share >= 0 && var.move.share <= 100
    error_message = "The share is a percentage from 0 to 100."
  }
}
