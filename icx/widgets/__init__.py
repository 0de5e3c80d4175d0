"""What an analyst clicks on: each widget is a Python class that decides and one ES module that shows and asks."""
