# Written by `crossfade infra init`. Yours to edit: an edited file is not overwritten.

region = "ap-northeast-2"

tags = {
  Environment             = "prod"
  Project                 = "feedback"
  ManagedBy               = "crossfade"
  "crossfade:app"         = "feedback"
  "crossfade:environment" = "prod"
}

image_tags = {
  web = "latest"
}
