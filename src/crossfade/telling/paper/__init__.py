"""The account of a rollout on paper: Markdown for a ticket, one HTML file with its pictures for everybody."""
