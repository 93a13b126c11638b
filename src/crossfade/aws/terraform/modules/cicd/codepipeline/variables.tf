variable "name" {
  description = "Prefix of all names, such as shop-prod."
  type        = string
}

variable "region" {
  description = "Where the environment is."
  type        = string
}

variable "host" {
  description = "Who keeps the repository: GitHub, GitLab or Bitbucket."
  type        = string
  default     = "GitHub"

  validation {
    condition     = contains(["GitHub", "GitLab", "Bitbucket"], var.host)
    error_message = "One of GitHub, GitLab, Bitbucket."
  }
}

variable "repository" {
  description = "The repository, as owner/name."
  type        = string
}

variable "branch" {
  description = "The branch whose pushes are released."
  type        = string
}

variable "services" {
  description = "What is built and deployed, by name: where its images go."
  type = map(object({
    repository_url  = string
    repository_arn  = string
    repository_name = string
  }))
}

variable "environment" {
  description = "Environment of the file that is deployed."
  type        = string
}

variable "crossfade" {
  description = "What pip installs to deploy with."
  type        = string
}

variable "deployer_policy" {
  description = "File with the policy of whoever deploys: a template with `partition` and `account` in its ARNs."
  type        = string
}

variable "site" {
  description = "The static site, where there is one: how it is built, and where its files go."
  type = object({
    build            = string
    folder           = string
    bucket           = string
    bucket_arn       = string
    distribution_id  = string
    distribution_arn = string
  })
  default = null
}

variable "approve" {
  description = "Whether somebody has to agree before the deploy."
  type        = bool
  default     = false
}

variable "topic_arn" {
  description = "Topic that is asked for approval and told of a failure."
  type        = string
}

variable "size" {
  description = "Machine of the builds: small, medium or large."
  type        = string
  default     = "small"

  validation {
    condition     = contains(["small", "medium", "large"], var.size)
    error_message = "One of small, medium, large."
  }
}

variable "arm" {
  description = "Whether images are for ARM: they are built on the processor they run on."
  type        = bool
  default     = false
}

variable "latest" {
  description = "Whether the newest image is also tagged `latest`, which an immutable repository refuses."
  type        = bool
  default     = false
}

variable "folder" {
  description = "Folder of the repository with the build specifications."
  type        = string
  default     = "infrastructure/deploy"
}

variable "log_days" {
  description = "Days that logs of builds are kept."
  type        = number
  default     = 30
}
