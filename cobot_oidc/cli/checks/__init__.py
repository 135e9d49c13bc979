"""What ``flask cobot check`` looks at: a module for each group of checks. They take values and return findings."""
