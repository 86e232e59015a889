"""The loop behind the answers: export, train, judge, publish; and the jobs that run it."""
