"""Limits that the checks of the file and those of plans share."""

LEAST_BACKUPS = 7  # days: a mistake made before a long weekend is still there on Tuesday
LEAST_LOGS, MOST_LOGS = 7, 400  # days: a week to find a cause in, and a year with some room to compare with
LONGEST_TTL = 300.0  # seconds, of records that have to move with the traffic
LEAST_PASSWORD = 14  # characters: https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html#iam-15
