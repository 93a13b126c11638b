# Read back otherwise: headers that are taken away.
resource "aws_cloudfront_response_headers_policy" "site" {
  lifecycle {
    ignore_changes = [remove_headers_config]
  }
}
