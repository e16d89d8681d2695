"""The embedded worlds: scenes, questions, and what makes one domain harder than another."""
