variable "name" {
  description = "Identifier of the database."
  type        = string
}

variable "engine" {
  description = "postgres, mysql or mariadb."
  type        = string

  validation {
    condition     = contains(["postgres", "mysql", "mariadb"], var.engine)
    error_message = "One of postgres, mysql, mariadb."
  }
}

variable "engine_version" {
  description = "Such as 17 or 8.0; RDS takes its newest of that line."
  type        = string
}

variable "family" {
  description = "Family of its parameters, such as postgres17."
  type        = string
}

variable "instance_class" {
  description = "Such as db.t4g.small."
  type        = string

  validation {
    condition     = startswith(var.instance_class, "db.")
    error_message = "A class such as db.t4g.small."
  }
}

variable "database_name" {
  description = "The first database in it."
  type        = string
}

variable "username" {
  description = "Its owner. RDS makes the password and keeps it in Secrets Manager."
  type        = string
  default     = "app"
}

variable "port" {
  description = "Where it listens."
  type        = number
}

variable "storage_gib" {
  description = "Disk at first."
  type        = number

  validation {
    condition     = var.storage_gib >= 20
    error_message = "20 GiB or more."
  }
}

variable "max_storage_gib" {
  description = "Grows by itself up to this. Null: it does not grow."
  type        = number
  default     = null
}

variable "multi_az" {
  description = "A standby in another zone."
  type        = bool
  default     = false
}

variable "backup_days" {
  description = "How long daily backups are kept; 0 is none."
  type        = number
  default     = 7

  validation {
    condition     = var.backup_days >= 0 && var.backup_days <= 35
    error_message = "0 to 35 days."
  }
}

variable "backup_window" {
  description = "When, in UTC: 18:00-19:00."
  type        = string
}

variable "maintenance_window" {
  description = "When AWS may change it, in UTC: sun:19:00-sun:20:00."
  type        = string
}

variable "parameters" {
  description = "Settings of the database itself."
  type        = map(string)
  default     = {}
}

variable "force_tls" {
  description = "Refuses connections without TLS."
  type        = bool
  default     = true
}

variable "replica_class" {
  description = "Class of a read replica. Null: none."
  type        = string
  default     = null
}

variable "subnet_ids" {
  description = "Where it stands, in two zones or more."
  type        = list(string)
}

variable "security_group_id" {
  description = "Group of the database."
  type        = string
}

variable "public" {
  description = "Gives it a public address."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "Key that encrypts it. Null: AWS's own for RDS, which costs nothing."
  type        = string
  default     = null
}

variable "protect" {
  description = "AWS refuses to delete it until this is taken back, and keeps a last snapshot."
  type        = bool
  default     = true
}

variable "log_retention_days" {
  description = "How long its logs are kept."
  type        = number
  default     = 30
}
