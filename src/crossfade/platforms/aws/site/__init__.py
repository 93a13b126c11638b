"""The static site of an environment: files of a bucket behind CloudFront, released as services are."""
