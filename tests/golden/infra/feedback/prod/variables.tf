# Written by `crossfade infra init`. Yours to edit: an edited file is not overwritten.

variable "region" {
  description = "Where."
  type        = string
}

variable "tags" {
  description = "On everything."
  type        = map(string)
}

variable "image_tags" {
  description = "The image that each service begins with. Deploys bring later ones."
  type        = map(string)
}
