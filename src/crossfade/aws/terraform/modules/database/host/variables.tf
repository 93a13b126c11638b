variable "name" {
  description = "Name of the host."
  type        = string
}

variable "region" {
  description = "Region of its secret."
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
  description = "Such as 8.0: the tag of the engine's official image."
  type        = string
}

variable "database_name" {
  description = "The first database in it."
  type        = string
}

variable "port" {
  description = "Where it listens."
  type        = number
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

variable "instance_type" {
  description = "Class of the host."
  type        = string
}

variable "storage_gib" {
  description = "Volume of the data."
  type        = number
}

variable "zone" {
  description = "Availability zone of the volume, and so of the host."
  type        = string
}

variable "subnet_id" {
  description = "Where it stands, in that zone. It has to fetch its packages."
  type        = string
}

variable "security_group_id" {
  description = "Group of the database."
  type        = string
}

variable "public_address" {
  description = "Gives it a public address: needed where there is no other way out."
  type        = bool
  default     = false
}

variable "backup_days" {
  description = "How long daily snapshots of the volume are kept; 0 is none."
  type        = number
  default     = 7
}

variable "backup_time" {
  description = "When, in UTC: 18:00."
  type        = string
  default     = "03:00"
}

variable "dumps" {
  description = "Bucket for dumps of the database, and when one is written each day, as EventBridge has it. Null: none."
  type        = object({ bucket = string, bucket_arn = string, schedule = string })
  default     = null
}
