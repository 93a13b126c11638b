"""Who runs instances: adapters of the `Runtime` port."""
