"""What the flows on GitHub do between their jobs: judge a pull request, publish entries, and say what came of it.

Nothing here runs a recipe: commands that do are started in processes of their own, without credentials.
"""
