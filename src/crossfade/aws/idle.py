"""The idle timeout of a load balancer: what the file, its Terraform and the audit of a plan share."""

# Seconds of silence after which a load balancer closes a connection: at most, and when nobody said anything else.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html#connection-idle-timeout
LONGEST_IDLE = 4000
SHORT_IDLE = 60
