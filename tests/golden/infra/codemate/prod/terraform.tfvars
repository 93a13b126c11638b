# Written by `crossfade infra init`. Yours to edit: an edited file is not overwritten.

region = "ap-northeast-2"

tags = {
  Environment             = "prod"
  Project                 = "codemate"
  ManagedBy               = "crossfade"
  "crossfade:app"         = "codemate"
  "crossfade:environment" = "prod"
}

image_tags = {
  frontend = "latest"
  backend  = "latest"
}
