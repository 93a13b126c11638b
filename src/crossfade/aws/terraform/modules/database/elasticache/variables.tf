variable "name" {
  description = "Identifier of the cache."
  type        = string

  validation {
    condition     = length(var.name) <= 40
    error_message = "40 characters at most."
  }
}

variable "engine" {
  description = "redis or valkey."
  type        = string

  validation {
    condition     = contains(["redis", "valkey"], var.engine)
    error_message = "One of redis, valkey."
  }
}

variable "engine_version" {
  description = "Such as 7.1."
  type        = string
}

variable "family" {
  description = "Family of its parameters, such as redis7."
  type        = string
}

variable "node_type" {
  description = "Such as cache.t4g.small."
  type        = string

  validation {
    condition     = startswith(var.node_type, "cache.")
    error_message = "A class such as cache.t4g.small."
  }
}

variable "shards" {
  description = "Parts the data is spread over."
  type        = number
  default     = 1
}

variable "cluster" {
  description = "Cluster mode, which more than one part takes."
  type        = bool
  default     = false

  validation {
    condition     = var.cluster || var.shards == 1
    error_message = "Without cluster mode there is one part."
  }
}

variable "replicas" {
  description = "Copies of each shard."
  type        = number
  default     = 0

  validation {
    condition     = var.replicas >= 0 && var.replicas <= 5
    error_message = "0 to 5 copies."
  }
}

variable "policy" {
  description = "What goes when it is full."
  type        = string
  default     = "volatile-lru"
}

variable "port" {
  description = "Where it listens."
  type        = number
  default     = 6379
}

variable "snapshot_days" {
  description = "How long daily snapshots are kept; 0 is none."
  type        = number
  default     = 1
}

variable "snapshot_window" {
  description = "When, in UTC: 19:00-20:00."
  type        = string
}

variable "maintenance_window" {
  description = "When AWS may change it, in UTC: sun:21:00-sun:22:00. Null: AWS chooses."
  type        = string
  default     = null
}

variable "subnet_ids" {
  description = "Where it stands."
  type        = list(string)
}

variable "security_group_id" {
  description = "Group of the cache."
  type        = string
}

variable "log_retention_days" {
  description = "How long its logs are kept."
  type        = number
  default     = 30
}
