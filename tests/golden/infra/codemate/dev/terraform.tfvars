# Written by `crossfade infra init`. Yours to edit: an edited file is not overwritten.

region = "ap-northeast-2"

tags = {
  Environment             = "dev"
  Project                 = "codemate"
  ManagedBy               = "crossfade"
  "crossfade:app"         = "codemate"
  "crossfade:environment" = "dev"
}

image_tags = {
  frontend = "latest"
  backend  = "latest"
}
