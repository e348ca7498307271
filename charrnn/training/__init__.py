"""Training, with torch: networks, schedules, and runs that can be continued."""
