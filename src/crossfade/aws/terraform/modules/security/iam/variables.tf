variable "name" {
  description = "Prefix of all names, such as shop-prod."
  type        = string
}

variable "region" {
  description = "Where the environment is."
  type        = string
}

variable "load_balancer_arn" {
  description = "The load balancer: whose listeners a deploy changes, and from whose ARN the account is read."
  type        = string
}

variable "fargate" {
  description = "Whether services run on Fargate; otherwise on hosts."
  type        = bool
}

variable "services" {
  description = "What each service may use: secrets it is started with, repositories of its images, buckets it reads and writes, log groups it writes."
  type = map(object({
    secret_arns     = optional(list(string), [])
    repository_arns = optional(list(string), [])
    bucket_arns     = optional(list(string), [])
    log_group_arns  = optional(list(string), [])
  }))
}

variable "tracing" {
  description = "Whether services send traces to X-Ray."
  type        = bool
  default     = false
}

variable "hosts" {
  description = "What hosts may do beside: report metrics in namespaces, read the agent's configuration, tell their own keys, fetch CodeDeploy's revisions."
  type = object({
    namespaces      = list(string)
    agent_parameter = optional(bool, false)
    host_keys       = optional(bool, false)
    log_group_arns  = optional(list(string), [])
    revisions       = optional(object({ bucket_arn = string }))
  })
  default = null
}

variable "codedeploy" {
  description = "The target groups that CodeDeploy moves hosts in, the topic that it tells of failures, and whether it makes hosts itself."
  type = object({
    target_group_arns = list(string)
    topic_arn         = string
    blue_green        = bool
  })
  default = null
}

variable "deployer" {
  description = "Who may take on the role that deploys: a branch of a GitHub or GitLab repository, or people and roles by ARN. `providers` says whether the account's OIDC provider is made here."
  type = object({
    github     = optional(string)
    gitlab     = optional(string)
    branch     = optional(string, "main")
    principals = optional(list(string), [])
    providers  = optional(bool, true)
  })
  default = null
}

variable "deployer_policy" {
  description = "File with the policy of the role that deploys: a template with `partition` and `account` in its ARNs."
  type        = string
  default     = null
}
