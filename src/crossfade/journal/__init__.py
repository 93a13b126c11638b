"""Where rollouts are recorded: adapters of the `Journal` port."""
