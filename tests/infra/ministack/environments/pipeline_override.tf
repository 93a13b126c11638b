# Not emulated: CodeConnections, CodePipeline, and deleting a CodeBuild project by its ARN.
module "pipeline" {
  count = 0
}

output "connection" {
  value = null
}
