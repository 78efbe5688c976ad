"""Exercises that ask for code: each has a solution, and checks that find what a wrong one gets wrong."""

from ._contents import find_exercise as find_exercise
