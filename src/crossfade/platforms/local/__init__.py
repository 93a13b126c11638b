"""One machine: processes and containers behind Envoy, HAProxy or nginx, recorded in SQLite."""
