variable "name" {
  description = "Name of the task definition, and with a colour of each service."
  type        = string
}

variable "container_name" {
  description = "Name of the container: the service's name in the file."
  type        = string
}

variable "region" {
  description = "Region of the log group."
  type        = string
}

variable "cluster_arn" {
  description = "The cluster."
  type        = string
}

variable "cluster_name" {
  description = "The cluster's name, for scaling."
  type        = string
}

variable "image" {
  description = "Image that the first colour begins with. Deploys bring later ones."
  type        = string
}

variable "command" {
  description = "Runs instead of the image's own command. Empty: the image's own."
  type        = list(string)
  default     = []
}

variable "port" {
  description = "Where the container listens. Null: nowhere, it is a worker."
  type        = number
  default     = null
}

variable "cpu" {
  description = "CPU units; 1024 are one core."
  type        = number

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.cpu)
    error_message = "Fargate has 256, 512, 1024, 2048, 4096, 8192 and 16384 units."
  }
}

variable "memory" {
  description = "Memory in MiB."
  type        = number

  validation {
    condition     = var.memory >= 512 && (var.memory == 512 || var.memory % 1024 == 0)
    error_message = "512, or whole GiB."
  }
}

variable "architecture" {
  description = "X86_64, or ARM64, which costs a fifth less."
  type        = string
  default     = "X86_64"

  validation {
    condition     = contains(["X86_64", "ARM64"], var.architecture)
    error_message = "One of X86_64, ARM64."
  }
}

variable "environment" {
  description = "Variables of the container."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "ARN of a secret by the variable in which the container gets it."
  type        = map(string)
  default     = {}
}

variable "execution_role_arn" {
  description = "Role that fetches the image and the secrets."
  type        = string
}

variable "task_role_arn" {
  description = "Role of the application itself."
  type        = string
}

variable "subnet_ids" {
  description = "Where tasks run."
  type        = list(string)
}

variable "security_group_id" {
  description = "Group of the application."
  type        = string
}

variable "public_address" {
  description = "Gives each task a public address: needed where there is no other way out."
  type        = bool
  default     = false
}

variable "target_groups" {
  description = "Target group of each colour, and its suffix as metrics name it. None: a worker, whom nobody asks anything."
  type        = map(object({ arn = string, suffix = string }))
  default     = {}

  validation {
    condition     = contains([0, 2], length(setintersection(keys(var.target_groups), ["blue", "green"])))
    error_message = "One of blue and one of green, or none."
  }
}

variable "first" {
  description = "The colour that runs at first. Deploys change them by turns."
  type        = string
  default     = "blue"

  validation {
    condition     = contains(["blue", "green"], var.first)
    error_message = "blue or green."
  }
}

variable "load_balancer_suffix" {
  description = "The load balancer as metrics name it, for scaling on requests."
  type        = string
  default     = ""
}

variable "desired" {
  description = "Tasks at first."
  type        = number
}

variable "scaling" {
  description = "Between how many tasks it grows and shrinks, and what it keeps near: CPU %, memory %, requests a minute. Null: it does not."
  type = object({
    min       = number
    max       = number
    cpu       = optional(number)
    memory    = optional(number)
    requests  = optional(number)
    out_after = optional(number, 60)
    in_after  = optional(number, 300)
  })
  default = null

  validation {
    condition     = var.scaling == null ? true : var.scaling.min <= var.scaling.max
    error_message = "At least as many at most as at least."
  }
}

variable "spot_percent" {
  description = "Share of the tasks above the minimum that may run on spare capacity."
  type        = number
  default     = 0

  validation {
    condition     = var.spot_percent >= 0 && var.spot_percent <= 100
    error_message = "0 to 100."
  }
}

variable "health_grace" {
  description = "Seconds in which a new task's failed health checks do not count."
  type        = number
  default     = 60
}

variable "stop_timeout" {
  description = "Seconds between SIGTERM and SIGKILL."
  type        = number
  default     = 30

  validation {
    condition     = var.stop_timeout >= 1 && var.stop_timeout <= 120
    error_message = "Fargate waits 1 to 120 seconds."
  }
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 30
}

variable "tracing" {
  description = "Runs the X-Ray daemon beside the container."
  type        = bool
  default     = false
}

variable "check" {
  description = "Command that ECS runs in the container every 30 s, beside the load balancer's question. Null: none."
  type        = string
  default     = null
}

variable "read_only" {
  description = "The container cannot write to its own disk; only /tmp is writable."
  type        = bool
  default     = false
}
