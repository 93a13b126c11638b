"""Who may use what a plan makes, and what that lets them do."""
