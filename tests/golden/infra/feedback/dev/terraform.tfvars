# Written by `crossfade infra init`. Yours to edit: an edited file is not overwritten.

region = "ap-northeast-2"

tags = {
  Environment             = "dev"
  Project                 = "feedback"
  ManagedBy               = "crossfade"
  "crossfade:app"         = "feedback"
  "crossfade:environment" = "dev"
}

image_tags = {
  web = "latest"
}
