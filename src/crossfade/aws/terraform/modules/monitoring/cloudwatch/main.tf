# Watching an environment, a file for each question: who is told (topics), what can be watched (measures), when somebody
# is told (alarms), what hosts report (agent), what it looks like (dashboard), who was here (guards).
