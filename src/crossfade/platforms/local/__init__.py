"""One machine: processes and containers behind Envoy or nginx, recorded in SQLite."""
